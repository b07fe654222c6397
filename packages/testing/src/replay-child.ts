import { readFile } from 'node:fs/promises';
import { type HistoryJson, workflowIdIn } from './command-words.ts';
import { quietRuntime } from './quiet-runtime.ts';
import { whereTheyPart } from './where-they-part.ts';

// A process of `replayUnder`: its time zone and language are those that it was started with.

const [bundle = '', ...files] = process.argv.slice(2);
quietRuntime({ silent: true });

const parted: string[] = [];
for (const file of files) {
  const history = JSON.parse(await readFile(file, 'utf8')) as HistoryJson;
  const parting = await whereTheyPart({ codePath: bundle }, history, workflowIdIn(history) ?? 'unknown');
  if (parting) parted.push(`${file}: ${parting.said}`);
}
const { timeZone, locale } = new Intl.DateTimeFormat().resolvedOptions();
console.log(JSON.stringify({ timeZone, locale, parted }));
