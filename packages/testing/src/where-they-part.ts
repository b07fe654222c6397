import { type InjectedSinks, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { NoteSinks } from './code-notes.ts';
import { alike, commandsIn, type HistoryJson, patchWords, wordsFor, wordsOfCore } from './command-words.ts';

/** Where a history and the code at hand part. */
export interface Parting {
  /** Number of the event in the history; undefined where the code throws before it comes to one. */
  event: number | undefined;
  /** What the workflow did there when the history was made. */
  history: string;
  /** What the code does there now. */
  code: string;
  /** Temporal's own words. */
  said: string;
}

/**
 * Replays a history.
 * @param workflowBundle names what the code does instead if it was built with `code-notes.ts` in it
 * @returns undefined if nothing differs
 */
export async function whereTheyPart(
  workflowBundle: WorkflowBundleOption,
  history: HistoryJson,
  workflowId: string,
): Promise<Parting | undefined> {
  const done: string[] = [];
  const sinks: InjectedSinks<NoteSinks> = {
    replayedCode: { does: { fn: (_, what) => void done.push(what), callDuringReplay: true } },
  };
  try {
    await Worker.runReplayHistory({ workflowBundle, sinks }, history, workflowId);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || !/^(DeterminismViolation|Replay)Error$/.test(error.name)) throw error;
    const said = wordsOf(error);
    if (error.name === 'ReplayError') return thrown(history, done, said, quoted(error.message, 'stack_trace'));
    return parting(history, done, said);
  }
}

function parting(history: HistoryJson, done: string[], said: string): Parting {
  const commands = commandsIn(history);
  const patch = /patch marker encountered for change (.+?),/.exec(said)?.[1];
  const marked = history.events.find((one) => patch !== undefined && wordsFor(one) === patchWords(patch));
  if (marked) {
    return { event: Number(marked.eventId), history: wordsFor(marked), code: 'does not ask for that any more', said };
  }
  const named = /HistoryEvent\(id: (\d+)/.exec(said)?.[1];
  const differs = commands.findIndex(({ words }, index) => !alike(words, done[index] ?? ''));
  const at = named === undefined ? commands[differs]?.event : Number(named);
  const event = history.events.find(({ eventId }) => Number(eventId) === at);
  if (at === undefined || !event)
    return { event: undefined, history: 'does something else', code: wordsOfCore(said), said };
  const before = commands.filter((command) => command.event < at);
  // A timer that was cancelled in the moment it started is not in the history, and shifts what follows.
  const inStep = before.every(({ words }, index) => alike(words, done[index] ?? ''));
  const next = inStep ? done[before.length] : undefined;
  const recorded = wordsFor(event);
  const code = next === undefined || alike(next, recorded) ? wordsOfCore(said) : next;
  return { event: at, history: recorded, code, said };
}

function thrown(history: HistoryJson, done: string[], said: string, stack: string | undefined): Parting {
  const next = commandsIn(history)[done.filter((words) => !words.startsWith('fails')).length];
  const where = stack === undefined ? undefined : /^ +at .+$/m.exec(stack)?.[0].trim();
  return {
    event: next?.event,
    history: next?.words ?? 'goes on',
    code: `throws an error that is no failure, so it would be tried again for ever: ${said}${where ? ` (${where})` : ''}`,
    said,
  };
}

/** Temporal's own words in the error with which a replay failed. */
export const wordsOf = ({ message }: Error): string => quoted(message, 'message') ?? message;

/** A field of the failure that the SDK's core prints in the notation of its own language. */
function quoted(message: string, field: string): string | undefined {
  const text = new RegExp(`${field}: "((?:[^"\\\\]|\\\\.)*)"`, 's').exec(message)?.[1];
  return text?.replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character));
}
