import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Gate, runGates, summary } from './gates.ts';

/** `pnpm verify [--without-tests]`: every gate of this repository. Exit code 1 if one of them failed. */
const { values } = parseArgs({ options: { 'without-tests': { type: 'boolean', default: false } } });
const root = fileURLToPath(new URL('../../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: { [name: string]: string };
};

/** The command of a root script, so that a gate is the same thing when it is run by itself. */
const script = (name: string): string => {
  const command = scripts[name];
  if (command === undefined) throw new Error(`The root package.json has no script "${name}"`);
  return command;
};

// The longest first, so that two lanes end at about the same time.
const gates: Gate[] = [
  { name: 'house rules', command: script('rules'), next: 'pnpm rules' },
  { name: 'lint', command: 'oxlint', next: 'pnpm lint' },
  { name: 'types', command: `${script('typecheck')} --output-logs=errors-only`, next: 'pnpm typecheck' },
  { name: 'unused code', command: script('knip'), next: 'pnpm knip' },
  { name: 'format', command: 'biome check .', next: 'pnpm format' },
  { name: 'tests', command: script('test'), next: 'pnpm test', alone: true },
];

const results = await runGates(
  gates.filter(({ alone }) => !(alone && values['without-tests'])),
  root,
  2,
);
console.log(summary(results));
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
