import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * `pnpm test`, `pnpm e2e`: makes the server programs ready, runs a turbo task, and counts what its reports say, so that
 * a package that turbo takes from its cache counts like one that ran.
 *
 * Arguments: the task's name, then options for turbo (`pnpm test --filter trip-saga`).
 */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const [task = 'test', ...options] = process.argv.slice(2);

const node = (...command: string[]) => {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  return status ?? 1;
};

const packages = ['apps', 'packages'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => `${group}/${name}`),
);
const reportOf = (name: string) => join(root, name, 'reports', `${task}.json`);
const reported = () => packages.filter((name) => existsSync(reportOf(name)));

const prepared = node('--import', 'tsx/esm', 'packages/dev-stack/src/cli.ts', 'prepare');
if (prepared !== 0) process.exit(prepared);
// What an earlier run left would count for a package that fails before it reports. turbo brings back what it has cached.
for (const name of reported()) rmSync(reportOf(name));

const turbo = createRequire(join(root, 'package.json')).resolve('turbo/bin/turbo');
const status = node(turbo, 'run', task, ...options);

const total = { passed: 0, failed: 0 };
for (const name of reported()) {
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(reportOf(name), 'utf8'));
  console.log(`${name.padEnd(30)} ${numPassedTests} passed, ${numFailedTests} failed`);
  total.passed += numPassedTests;
  total.failed += numFailedTests;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(status || (total.failed > 0 || total.passed === 0 ? 1 : 0));
