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
  const folder = new URL(`../../../apps/${app}/test/histories/`, import.meta.url);
  const file = new URL(`${name}.json`, folder);
  const refuse = (field: string, message: string): never => {
    throw new InvalidInputError([{ field, message }]);
  };
  if (!isName(app) || !existsSync(new URL('../../package.json', folder))) refuse('app', `${app} is no folder in apps`);
  if (!isName(name)) refuse('name', 'must be small letters, digits and hyphens');
  // What an earlier version of the code did cannot be recorded again.
  if (existsSync(file)) refuse('name', `there is a history ${name} already: delete it first, or choose another name`);
  // Who did it: workers and clients give process, user and host, and a sticky task queue is named after its worker. Stack
  // traces name the folders of that machine, too.
  const text = JSON.stringify(await historyOf(workflowId, usage))
    .replace(/"\d+@[^"]+"/g, '"recorded"')
    .replace(/"identity": *"[^"]*@[^"]*"/g, '"identity": "recorded"')
    .replace(/"stackTrace": *"(?:[^"\\]|\\.)*"/g, '"stackTrace": ""');
  const json = JSON.parse(text) as { events: unknown[] };
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify(json, null, 1)}\n`);
  console.log(`${json.events.length} events: ${fileURLToPath(file)}`);
});

function isName(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text);
}
