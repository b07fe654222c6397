import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { endProcessesOf, outsideEnvironment, removed, run } from './proof-processes.ts';
import { readRepository } from './repository.ts';

/**
 * `pnpm copy-proof [app…]`: copies each app to a folder outside of the repository, and installs, type-checks, tests and
 * starts it there with npm, as somebody would who has only the copy. Needs the registry. Its last line is
 * `N passed, N failed`, one for each step that was run; whatever way it ends, it leaves nothing behind.
 */
const repository = readRepository(fileURLToPath(new URL('../../..', import.meta.url)));
const copyCli = fileURLToPath(new URL('./cli.ts', import.meta.url));

const minute = 60_000;
const steps: { name: string; command: string; args: string[]; timeLimitMs: number }[] = [
  { name: 'install', command: 'npm', args: ['install', '--no-audit', '--no-fund'], timeLimitMs: 10 * minute },
  { name: 'typecheck', command: 'npm', args: ['run', 'typecheck'], timeLimitMs: 5 * minute },
  // Long enough for the first build of the servers.
  { name: 'test', command: 'npm', args: ['test'], timeLimitMs: 20 * minute },
  { name: 'start --once', command: 'npm', args: ['start', '--', '--once'], timeLimitMs: 5 * minute },
];

const asked = process.argv.slice(2);
const unknown = asked.find((app) => !repository.apps.has(app));
if (unknown !== undefined) {
  console.error(`There is no app "${unknown}"; there are ${[...repository.apps.keys()].join(', ')}`);
  process.exit(2);
}

const interrupted = new AbortController();
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
// A second Ctrl-C must not cut the clean-up short.
for (const [name, code] of Object.entries(exitCodes)) process.on(name, () => interrupted.abort(code));

// Whoever read the output may be gone (a closed terminal): that must not cut it short either.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

// Not mkdtemp, whose folders are closed to others: PostgreSQL is run as another user by root, and has to pass through.
const workplace = join(realpathSync(tmpdir()), `copy-proof-${randomUUID().slice(0, 8)}`);
const count = { passed: 0, failed: 0 };
mkdirSync(workplace, { mode: 0o755 });
try {
  for (const app of asked.length > 0 ? asked : repository.apps.keys()) await prove(app);
} finally {
  await endProcessesOf(workplace).finally(() => removed(workplace));
}
if (interrupted.signal.aborted) console.log('Interrupted; nothing was left behind.');
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(interrupted.signal.aborted ? interrupted.signal.reason : count.failed > 0 || count.passed === 0 ? 1 : 0);

/** A step that fails ends the proof of its app: the next one would only fail of the same. */
async function prove(app: string): Promise<void> {
  const folder = join(workplace, `${app}-copy`);
  const copy = { name: 'copy', command: process.execPath, args: [...process.execArgv, copyCli, app, folder] };
  const env = outsideEnvironment(repository.root);
  for (const step of [{ ...copy, timeLimitMs: minute }, ...steps]) {
    if (interrupted.signal.aborted) return;
    const cwd = step.name === 'copy' ? repository.root : folder;
    const { failure, output, took } = await run(step, { cwd, env, signal: interrupted.signal });
    if (interrupted.signal.aborted) return;
    const mark = failure === undefined ? pc.green('✓') : pc.red('✗');
    console.log(`${mark} ${app.padEnd(24)} ${step.name.padEnd(14)} ${(took / 1000).toFixed(1).padStart(6)} s`);
    count[failure === undefined ? 'passed' : 'failed'] += 1;
    if (failure !== undefined) {
      console.log(`${output.trimEnd().split('\n').slice(-80).join('\n')}\n${app}, ${step.name}: ${failure}`);
      return;
    }
  }
  // A copy with its packages is large: the next one need not find the disk full.
  await endProcessesOf(folder);
  removed(folder);
}
