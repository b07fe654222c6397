import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../src/extras/cli.ts', import.meta.url));

/** Runs a command as a shell would, against a Temporal that is not there: what is refused is refused before that. */
async function trip(...args: string[]) {
  const env = { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:9' };
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, output: output.trim() };
}

it.concurrent.each([
  [['bok'], /^command: bok is none of start, worker, book, .*reconcile/],
  [['book', '--from', 'BER', '--input', '{}'], /^from: cannot be given together with --input$/],
  [['book', '--from', 'BER'], /^to: is missing$/m],
  [['cancel', 'lisbon', '--requested-at', 'yesterday'], /^requestedAt: must be a time with its offset/],
  [['list', '--status', 'lost', '--limit', '0'], /^status: must be one of .*\nlimit: must be at least 1$/],
  [['service', '--port', '65536'], /must be from 0 to 65535/],
  [['reconcile', '--grace', 'soon'], /^grace: must be a duration, as 30s, 15m, 2h or 1d$/],
  [['reconcile', '--every', '0s'], /^every: must be at least 1s$/],
  [['reconcile', '--stop', '--every', '5m'], /cannot be used with/],
] as const)('trip %j is bad input: exit code 2, and what is wrong with which field', async (args, says) => {
  const { code, output } = await trip(...args);
  expect(output).toMatch(says);
  expect(output).not.toMatch(/^ +at /m);
  expect(code).toBe(2);
});
