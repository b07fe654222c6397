import { createInterface } from 'node:readline';
import type { Session } from '@repo/dev-stack';

/** What a person has answered; undefined if there is nobody to ask, or no answer in time. */
export type Answer = { approves: boolean; by: string } | undefined;

/** Shorter than a scenario may take, so that it keeps its promise without anybody there. */
const patienceMs = 120_000;

/** Whether somebody sits at this terminal and is to be asked. */
export const canAsk = (): boolean =>
  process.stdin.isTTY === true && process.stdout.isTTY === true && !process.argv.includes('--once');

/**
 * Asks yes or no in the terminal, unless there is none or `--once` was given.
 * @param elsewhere resolves if the question is settled in another way meanwhile
 */
export async function ask(session: Session, question: string, elsewhere: Promise<unknown>): Promise<Answer> {
  if (!canAsk()) return undefined;
  const { stdin } = process;
  // The menu of `start` may be listening too, and would take the answer for a choice.
  const others = stdin.listeners('data') as ((...args: unknown[]) => void)[];
  for (const one of others) stdin.off('data', one);
  const lines = createInterface({ input: stdin, terminal: false });
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs);
    session.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    void elsewhere.then(() => resolve(undefined));
  });
  try {
    for (;;) {
      session.print(question);
      const line = new Promise<string>((resolve) => lines.once('line', resolve));
      const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
      const typed = await Promise.race([line, closed, over]);
      if (typed === undefined) return undefined;
      const [, word] = /^\s*(y|yes|n|no)\s*$/i.exec(typed) ?? [];
      if (word) return { approves: /^y/i.test(word), by: process.env.USER ?? 'you' };
    }
  } finally {
    clearTimeout(timer);
    lines.close();
    for (const one of others) stdin.on('data', one);
    if (others.length > 0) stdin.resume();
  }
}
