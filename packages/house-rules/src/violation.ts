/** One place that breaks a rule. */
export interface Violation {
  /** The rule's name, as in `pnpm rules <name>`. */
  rule: string;
  /** Path from the root of the repository, with forward slashes. */
  file: string;
  /** Counted from 1; missing where the file as a whole is meant. */
  line?: number;
  /** What is wrong, and what to do instead. */
  message: string;
}

/** As one line that terminals and editors turn into a link. */
export function violationLine({ rule, file, line, message }: Violation): string {
  return `${file}${line === undefined ? '' : `:${line}`}  ${message}  [${rule}]`;
}

/** The line, counted from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The line, counted from 1, where a string first occurs; undefined if it does not. */
export function lineOf(text: string, needle: string): number | undefined {
  const offset = text.indexOf(needle);
  return offset < 0 ? undefined : lineAt(text, offset);
}
