import { printError } from '@repo/worker-kit';
import { vi } from 'vitest';

/** What a command prints, and the exit code that its program would have. */
export async function saying(command: () => Promise<void>) {
  const [log, error] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
  for (const one of [log, error]) one.mockImplementation(() => {});
  try {
    // Thrown at once or later: the same to a program.
    const failed = await (async () => command())().then(
      () => undefined,
      (reason: unknown) => printError(reason),
    );
    const lines = (one: typeof log) => one.mock.calls.map(([line]) => String(line)).join('\n');
    return { code: failed ?? process.exitCode ?? 0, out: lines(log), err: lines(error) };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}

/** The same, where the answer is JSON. */
export async function answering(command: () => Promise<void>) {
  const { code, out } = await saying(command);
  return { code, answer: JSON.parse(out) };
}
