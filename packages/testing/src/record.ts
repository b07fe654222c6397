import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withTemporal } from '@repo/dev-stack/commands';
import { connectClient, OperatorError, runProgram } from '@repo/worker-kit';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/**
 * `pnpm record <app> <workflow id> <name>`: keeps the history of a real run as `apps/<app>/test/histories/<name>.json`,
 * where it is replayed on every change. Names of machines and processes are taken out.
 */
await runProgram(async () => {
  const [app, workflowId, name] = process.argv.slice(2);
  if (!app || !workflowId || !name) {
    throw new OperatorError('What to record?', 'pnpm record <app> <workflow id> <name of the file>');
  }
  const history = await withTemporal(async () => {
    const client = await connectClient();
    try {
      return await client.workflow.getHandle(workflowId).fetchHistory();
    } finally {
      await client.connection.close();
    }
  });
  // Process and host name of whoever did it: the worker's identity, and its sticky task queue.
  // Stack traces name the folders of that machine, too.
  const text = historyToJSON(history)
    .replace(/"\d+@[^"]+"/g, '"recorded"')
    .replace(/"stackTrace": *"(?:[^"\\]|\\.)*"/g, '"stackTrace": ""');
  const json = JSON.parse(text) as { events: unknown[] };
  const folder = new URL(`../../../apps/${app}/test/histories/`, import.meta.url);
  await mkdir(folder, { recursive: true });
  const file = new URL(`${name}.json`, folder);
  await writeFile(file, `${JSON.stringify(json, null, 1)}\n`);
  console.log(`${json.events.length} events: ${fileURLToPath(file)}`);
});
