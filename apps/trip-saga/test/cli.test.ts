import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { run } from '../src/extras/cli.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = 0;
});

/** A command in this process, against a Temporal that is not there: what is refused is refused before that. */
async function trip(args: readonly string[]) {
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:9');
  let output = '';
  const hear = (text: unknown) => {
    output += `${String(text)}\n`;
    return true;
  };
  vi.spyOn(console, 'error').mockImplementation(hear);
  vi.spyOn(process.stderr, 'write').mockImplementation(hear);
  let exit: unknown;
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    exit = code;
    throw new Error('the process has ended');
  });
  await run(args);
  const code = exit ?? process.exitCode;
  return { code, output: output.trim() };
}

it.each([
  [['book', '--from', 'BER', '--input', '{}'], /^from: cannot be given together with --input$/],
  [['book', '--from', 'BER'], /^to: is missing$/m],
  [['cancel', 'lisbon', '--requested-at', 'yesterday'], /^requestedAt: must be a time with its offset/],
  [['list', '--status', 'lost', '--limit', '0'], /^status: must be one of .*\nlimit: must be at least 1$/],
  [['service', '--port', '65536'], /must be from 0 to 65535/],
  [['reconcile', '--grace', 'soon'], /^grace: must be a duration, as 30s, 15m, 2h or 1d$/],
  [['reconcile', '--every', '0s'], /^every: must be at least 1s$/],
  [['reconcile', '--stop', '--every', '5m'], /cannot be used with/],
])('trip %j is bad input: exit code 2, and what is wrong with which field', async (args, says) => {
  const { code, output } = await trip(args);
  expect(output).toMatch(says);
  expect(output).not.toMatch(/^ +at /m);
  expect(code).toBe(2);
});

it('a mistyped command is bad input, as a shell sees it: exit code 2, and which commands there are', async () => {
  const cli = fileURLToPath(new URL('../src/extras/cli.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, 'bok'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(2);
  expect(output.trim()).toMatch(/^command: bok is none of start, worker, .*book, .*reconcile$/);
});
