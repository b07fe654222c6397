import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { terminalProgress } from './progress.ts';
import { joinStack, type ServerName } from './stack.ts';

/**
 * Runs `start <scenario> --once` for each scenario, one after another, as a user would, on one stack that stays up in
 * between. Writes `reports/e2e.json` in the current folder, which counts them as a test report does, and ends the
 * process with 1 if one of them did not keep its promise.
 *
 * @param cli the app's program of commands
 */
export async function runEveryScenario(
  { load, needs }: { load(): Promise<{ scenarios: readonly { name: string }[] }>; needs: ServerName[] },
  cli: string,
): Promise<void> {
  const { scenarios } = await load();
  const stack = await joinStack({ need: needs, onProgress: terminalProgress() });
  const failed: string[] = [];
  try {
    for (const { name } of scenarios) {
      if ((await run([...process.execArgv, cli, 'start', name, '--once'])) !== 0) failed.push(name);
    }
  } finally {
    await stack.leave();
  }
  mkdirSync('reports', { recursive: true });
  const counts = { numPassedTests: scenarios.length - failed.length, numFailedTests: failed.length };
  writeFileSync('reports/e2e.json', `${JSON.stringify({ ...counts, failed }, null, 2)}\n`);
  if (failed.length > 0) console.error(`These scenarios did not keep their promise: ${failed.join(', ')}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

function run(args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
