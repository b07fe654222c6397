/** Someone asked the program to end. */
export class Interrupted extends Error {
  /** As shells expect it: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(signal);
    this.name = 'Interrupted';
    this.exitCode = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
  }
}

/** One Ctrl-C may arrive twice: from the terminal, and passed on by the package manager. Nobody presses so fast. */
const sameCtrlCMs = 250;

/**
 * Listens for Ctrl-C, SIGTERM and SIGHUP. The first of any calls `stop`; a second Ctrl-C calls `abandon`. SIGTERM and
 * SIGHUP never do: a package manager that gave up leaves its terminal, which sends SIGHUP in the middle of a clean-up.
 * @returns a function that ends listening
 */
export function listenForSignals(
  stop: (reason: Interrupted) => void,
  abandon: (reason: Interrupted) => Promise<void>,
): () => void {
  let first: Interrupted | undefined;
  let firstAt = 0;
  const heard = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => () => {
    if (!first) {
      first = new Interrupted(signal);
      firstAt = Date.now();
      stop(first);
    } else if (signal === 'SIGINT' && Date.now() - firstAt > sameCtrlCMs) {
      void abandon(first);
    }
  };
  const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => [signal, heard(signal)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  };
}

/** What is to be undone at the end, newest first: each step may rely on what was there before it. */
export class CleanUp {
  readonly #steps: { what: string; undo: () => unknown }[] = [];
  readonly #stepLimitMs: number;

  /** @param stepLimitMs a step that takes longer is left behind, so that the program always ends. Default: 20 000. */
  constructor(stepLimitMs = 20_000) {
    this.#stepLimitMs = stepLimitMs;
  }

  /** `what` completes 'could not …': 'stop the worker'. */
  add(what: string, undo: () => unknown): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything, whatever fails on the way; what failed is handed to `report`. Also what is added meanwhile. */
  async run(report: (what: string, error: unknown) => void): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await within(this.#stepLimitMs, (async (undo) => undo())(step.undo));
      } catch (error) {
        report(step.what, error);
      }
    }
  }
}

/** The promise's outcome, or a rejection with `late` after `ms`. */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  late: Error | string = `not done after ${ms / 1000} s`,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late instanceof Error ? late : new Error(late)), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** The promise's outcome, or a rejection with the signal's reason as soon as it is aborted. */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  promise.catch(() => {}); // It may still fail after nobody waits for it.
  signal.throwIfAborted();
  let end: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason);
    signal.addEventListener('abort', end);
  });
  return Promise.race([promise, aborted]).finally(() => end && signal.removeEventListener('abort', end));
}
