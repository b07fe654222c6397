import { quietRuntime } from './quiet-runtime.ts';
import { replayAll } from './replay-all.ts';
import { wordsOf } from './where-they-part.ts';

// A process of `replayUnder`: its time zone and language are those that it was started with.

const [bundle = '', ...files] = process.argv.slice(2);
quietRuntime({ silent: true });

const parted: string[] = [];
for (const [file, error] of await replayAll({ codePath: bundle }, files)) {
  if (error) parted.push(`${file}: ${wordsOf(error)}`);
}
const { timeZone, locale } = new Intl.DateTimeFormat().resolvedOptions();
console.log(JSON.stringify({ timeZone, locale, parted }));
