/**
 * Receives one line about a long step. `transient` lines replace one another on a terminal (elapsed time);
 * whoever cannot rewrite a line may print or drop them.
 */
export type Progress = (line: string, options?: { transient?: boolean }) => void;

/** A Progress that writes to a stream (stderr by default), rewriting transient lines if it is a terminal. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let open = false;
  return (line, options) => {
    if (options?.transient && stream.isTTY) {
      stream.write(`\r\x1b[2K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
      open = true;
      return;
    }
    stream.write(`${open ? '\r\x1b[2K' : ''}${line}\n`);
    open = false;
  };
}

/** Milliseconds as people read them: `12 s`, `3 min 05 s`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/**
 * Says every 15 s (every second, as a transient line, on a terminal) that `what` still goes on.
 * @returns a function that ends it
 */
export function heartbeat(progress: Progress, what: string): () => void {
  const started = Date.now();
  const transient = process.stderr.isTTY === true;
  const timer = setInterval(
    () => progress(`${what}: ${duration(Date.now() - started)} so far`, { transient }),
    transient ? 1000 : 15_000,
  );
  timer.unref();
  return () => clearInterval(timer);
}
