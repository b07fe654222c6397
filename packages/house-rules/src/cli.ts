import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { rules } from './rules.ts';
import { type Violation, violationLine } from './violation.ts';
import { readWorkspace } from './workspace.ts';

/** `pnpm rules [name…] [--root <folder>]`: checks all rules, or the ones that are named. Exit code 1 if one is broken. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { root: { type: 'string', default: fileURLToPath(new URL('../../..', import.meta.url)) } },
});
const unknown = positionals.find((name) => !(name in rules));
if (unknown !== undefined) throw new Error(`There is no rule "${unknown}"; there are ${Object.keys(rules).join(', ')}`);

const workspace = readWorkspace(values.root);
// A check that looked at nothing must not pass.
if (workspace.apps.length === 0) throw new Error(`There is no app in ${workspace.root}/apps: nothing was checked`);

const names = positionals.length > 0 ? positionals : Object.keys(rules);
const found: Violation[] = [];
for (const name of names) {
  for (const check of rules[name] ?? []) found.push(...(await check(workspace)));
}

for (const violation of found) console.log(violationLine(violation));
const checked = `${names.join(', ')} in ${workspace.apps.length} apps and ${workspace.packages.length} packages`;
console.log(found.length === 0 ? pc.green(`✓ ${checked}`) : pc.red(`✗ ${found.length} found; checked ${checked}`));
process.exitCode = found.length === 0 ? 0 : 1;
