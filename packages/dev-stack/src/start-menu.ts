import { createInterface, type Interface } from 'node:readline';
import { unlessAborted } from './start-stopping.ts';

/** Lines from the keyboard, without taking over the terminal: Ctrl-C stays a signal, as in any other moment. */
export class Keyboard {
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;

  constructor(input: NodeJS.ReadableStream) {
    this.#interface = createInterface({ input, terminal: false });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  /** The next line; undefined when there will be none any more (Ctrl-D). */
  async ask(signal: AbortSignal): Promise<string | undefined> {
    const { value, done } = await unlessAborted(signal, this.#lines.next());
    return done ? undefined : value.trim();
  }

  close(): void {
    this.#interface.close();
  }
}

/** Something to choose, by its number or its name. */
export interface Choice {
  name: string;
  title: string;
}

/** The numbered list. */
export function menuLines(choices: readonly Choice[]): string[] {
  const width = Math.max(...choices.map((choice) => choice.name.length));
  return [
    '',
    'What next?',
    ...choices.map(
      (choice, index) => `  ${String(index + 1).padStart(2)}  ${choice.name.padEnd(width)}  ${choice.title}`,
    ),
    `   q  ${'quit'.padEnd(width)}  stops everything that this start has started`,
  ];
}

/** What an answer means; undefined if it means nothing. */
export function chosen<Of extends Choice>(choices: readonly Of[], answer: string): Of | 'quit' | undefined {
  if (/^(q|quit|exit)$/i.test(answer)) return 'quit';
  return choices.find((choice, index) => choice.name === answer || String(index + 1) === answer);
}
