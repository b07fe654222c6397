import { readFile } from 'node:fs/promises';
import type { HistoryJson } from './command-words.ts';
import { quietRuntime } from './quiet-runtime.ts';
import { whereTheyPart } from './where-they-part.ts';

// A process of `replayUnder`: its time zone and language are those that it was started with.

const [bundle = '', ...files] = process.argv.slice(2);
quietRuntime({ silent: true });

const parted: string[] = [];
for (const file of files) {
  const history = JSON.parse(await readFile(file, 'utf8')) as HistoryJson & {
    events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[];
  };
  const { workflowId } = history.events[0]?.workflowExecutionStartedEventAttributes ?? {};
  const parting = await whereTheyPart({ codePath: bundle }, history, workflowId ?? 'unknown');
  if (parting) parted.push(`${file}: ${parting.said}`);
}
const { timeZone, locale } = new Intl.DateTimeFormat().resolvedOptions();
console.log(JSON.stringify({ timeZone, locale, parted }));
