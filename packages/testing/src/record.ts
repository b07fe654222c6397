import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { InvalidInputError, OperatorError, runProgram } from '@repo/worker-kit';
import { historyOf } from './history-of.ts';

/*
 * `pnpm record <app> <workflow id> <name>`: keeps the history of a real run as `apps/<app>/test/histories/<name>.json`,
 * where it is replayed on every change. Names of machines, users and processes are taken out.
 */

const usage = 'pnpm record <app> <workflow id> <name of the file>';

await runProgram(async () => {
  const [app, workflowId, name] = process.argv.slice(2);
  if (!app || !workflowId || !name) {
    throw new OperatorError('What to record?', usage);
  }
  const wrong = [
    ...(isName(app) && existsSync(new URL(`../../../apps/${app}/package.json`, import.meta.url))
      ? []
      : [{ field: 'app', message: `${app} is no folder in apps` }]),
    ...(isName(name) ? [] : [{ field: 'name', message: 'must be small letters, digits and hyphens' }]),
  ];
  if (wrong.length > 0) throw new InvalidInputError(wrong);
  // Who did it: workers and clients give process, user and host, and a sticky task queue is named after its worker. Stack
  // traces name the folders of that machine, too.
  const text = JSON.stringify(await historyOf(workflowId, usage))
    .replace(/"\d+@[^"]+"/g, '"recorded"')
    .replace(/"identity": *"[^"]*@[^"]*"/g, '"identity": "recorded"')
    .replace(/"stackTrace": *"(?:[^"\\]|\\.)*"/g, '"stackTrace": ""');
  const json = JSON.parse(text) as { events: unknown[] };
  const folder = new URL(`../../../apps/${app}/test/histories/`, import.meta.url);
  await mkdir(folder, { recursive: true });
  const file = new URL(`${name}.json`, folder);
  await writeFile(file, `${JSON.stringify(json, null, 1)}\n`);
  console.log(`${json.events.length} events: ${fileURLToPath(file)}`);
});

function isName(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text);
}
