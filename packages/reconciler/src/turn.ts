import type { Client } from '@temporalio/client';

/** What one turn of a reconciler goes by; plain JSON. An app may add options of its own. */
export interface TurnInput {
  /** What was begun less than that long ago is left alone, in milliseconds. */
  graceMs: number;
}

/** Something that a turn has found. */
export interface Found {
  /** For people: what it is about, and what was done, or has to be. */
  words: string;
  /** A person has to look at it; otherwise it was put right. */
  needsAttention: boolean;
}

/** Looks at everything once, and puts right what it can. More of them at a time, or one again, do no harm. */
export type Look<More extends object = object> = (
  input: TurnInput & More & { client: Client; onLooked(count: number): void },
) => AsyncIterable<Found>;

/** What a turn says: the result of its workflow, and so no longer than people read. */
export interface Turn {
  /** How many were looked at. */
  looked: number;
  putRight: Lines;
  needAttention: Lines;
}

/** How many there are, and the first of them. */
export interface Lines {
  count: number;
  first: string[];
}

const mostLines = 20;
const longestLine = 500; // characters

/** Takes one turn. @throws whatever looking does, and the signal's reason once it is aborted */
export async function takeTurn<More extends object>(
  look: Look<More>,
  input: TurnInput & More & { client: Client },
  signal: AbortSignal,
): Promise<Turn> {
  const turn: Turn = { looked: 0, putRight: { count: 0, first: [] }, needAttention: { count: 0, first: [] } };
  const onLooked = (count: number) => {
    turn.looked += count;
  };
  for await (const { words, needsAttention } of look({ ...input, onLooked })) {
    add(needsAttention ? turn.needAttention : turn.putRight, words);
    signal.throwIfAborted();
  }
  return turn;
}

function add(lines: Lines, words: string): void {
  lines.count += 1;
  if (lines.first.length === mostLines) return;
  lines.first.push(words.length <= longestLine ? words : `${words.slice(0, longestLine)}…`);
}
