import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { members } from './install-all.ts';
import { counts, type Report, remarks } from './report.ts';

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

const reportOf = (name: string) => join(root, name, 'reports', `${task}.json`);
const reported = () => members.filter((name) => existsSync(reportOf(name)));

const prepared = node('--import', 'tsx/esm', 'packages/dev-stack/src/cli.ts', 'prepare');
if (prepared !== 0) process.exit(prepared);
// What an earlier run left would count for a package that fails before it reports. turbo brings back what it has cached.
for (const name of reported()) rmSync(reportOf(name));

const turbo = createRequire(join(root, 'package.json')).resolve('turbo/bin/turbo');
// One package that fails does not keep the others from being tested. Two at a time: each brings servers of its own.
const status = node(turbo, 'run', task, '--continue', `--concurrency=${task === 'test' ? 2 : 1}`, ...options);

const total = { passed: 0, failed: 0 };
const count = (name: string, passed: number, failed: number, remark = '') => {
  console.log(`${name.padEnd(30)} ${passed} passed, ${failed} failed${remark}`);
  total.passed += passed;
  total.failed += failed;
};
for (const name of reported()) {
  const report = JSON.parse(readFileSync(reportOf(name), 'utf8')) as Report;
  const { passed, failed } = counts(report);
  count(name, passed, failed);
  for (const remark of remarks(report, root)) console.log(`  ${remark}`);
}
if (options.length === 0) {
  const scripts = (name: string) => JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')).scripts;
  for (const name of members.filter((one) => scripts(one)?.[task] && !reported().includes(one))) {
    count(name, 0, 1, '  (it did not finish)');
  }
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(status || (total.failed > 0 || total.passed === 0 ? 1 : 0));
