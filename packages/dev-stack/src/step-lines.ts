import pc from 'picocolors';

/** What a step is, which decides its mark and colour. */
export type StepKind = 'plain' | 'done' | 'undone' | 'failed' | 'retry' | 'trouble';

/** One thing that happened in a workflow, ready to be written as one line. */
export interface Step {
  /** When, in ms since 1970, by the server's clock. */
  atMs: number;
  kind: StepKind;
  text: string;
  /** From scheduled to finished, retries and waits included. */
  durationMs?: number | undefined;
  /** Said after the duration: which attempt it was. */
  note?: string | undefined;
}

/** How lines are to look. */
export interface LineStyle {
  /** The workflow's start in ms since 1970: times are shown relative to it. */
  startMs: number;
  /** Longer lines are cut. Default: the terminal's width, or no limit without a terminal. */
  width?: number;
  /** Default: on a terminal, unless NO_COLOR is set. */
  colors?: boolean;
}

const marks: Record<StepKind, string> = {
  plain: '',
  done: '✓ ',
  undone: '↩ ',
  failed: '✗ ',
  retry: '… ',
  trouble: '! ',
};

/** Where durations begin, so that they stand below one another. */
const nameColumn = 38;

/** One step as one line: time since the start, mark, words, duration. */
export function formatStep(step: Step, style: LineStyle): string {
  const colors = pc.createColors(style.colors ?? wantsColors());
  const width = style.width ?? (process.stdout.isTTY ? process.stdout.columns : undefined) ?? Number.POSITIVE_INFINITY;
  const time = sinceStart(step.atMs - style.startMs).padStart(8);
  const tail = [step.durationMs === undefined ? '' : durationWords(step.durationMs).padStart(9), step.note ?? '']
    .filter(Boolean)
    .join('  ');
  const room = Math.max(20, width - time.length - 2 - (tail ? tail.length + 1 : 0));
  const words = cut(marks[step.kind] + oneLine(step.text), room);
  const body = tail ? `${words.padEnd(Math.min(nameColumn, room))} ${tail}` : words;
  const { green, magenta, red, yellow } = colors;
  const paint = { plain: String, done: green, undone: magenta, failed: red, retry: yellow, trouble: yellow }[step.kind];
  return `${colors.dim(time)}  ${paint(body)}`;
}

/** Colours only for someone who sees them: a terminal, and nobody asked for none (https://no-color.org). */
export function wantsColors(
  stream: NodeJS.WriteStream = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  return stream.isTTY === true && !env.NO_COLOR;
}

/** Milliseconds as people say them: `38 ms`, `2 s`, `2 min 5 s`, `98 days`. */
export function durationWords(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3570) return two(Math.round(seconds), 60, 'min', 's');
  if (seconds < 48 * 3600) return two(Math.round(seconds / 60), 60, 'h', 'min');
  return `${Math.round(seconds / 86_400)} days`;
}

/** The words of an identifier: `bookFlight` and `book_flight` become `Book flight`. */
export function words(identifier: string): string {
  const spaced = identifier
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/[_\-.]+/g, ' ')
    .trim()
    .split(/\s+/)
    .map((word) => (/^[A-Z]{2,}$/.test(word) ? word : word.toLowerCase()))
    .join(' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Text from elsewhere made safe to print: one line, no control or direction-changing characters. */
export function oneLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, '')
    .trim();
}

function sinceStart(ms: number): string {
  // Clocks of two machines may differ by a little; nothing happens before the start.
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1000) return `${seconds.toFixed(2)} s`;
  const digits = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const clock = `${digits((seconds % 86_400) / 3600)}:${digits((seconds % 3600) / 60)}`;
  return seconds < 86_400 ? `${clock}:${digits(seconds % 60)}` : `${Math.floor(seconds / 86_400)}d ${clock}`;
}

function two(count: number, per: number, large: string, small: string): string {
  const rest = count % per;
  return `${Math.floor(count / per)} ${large}${rest ? ` ${rest} ${small}` : ''}`;
}

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
