import { invalid } from './errors.ts';
import { currencies, isCurrency } from './money.ts';

// What is sent to the database has passed here: a wrong request is told apart from a refusal, and leaves its key free.

/** For keys and references. PostgreSQL takes neither NUL nor half of a surrogate pair, and counts characters as they are. */
export function name(field: string, text: unknown, longest: number): string {
  if (typeof text !== 'string' || text.length === 0 || [...text].length > longest) {
    throw invalid(field, `must be text of 1 to ${longest} characters`);
  }
  if (!/^[^\p{Cc}\p{Cs}]*$/u.test(text)) throw invalid(field, 'must not contain control characters');
  return text;
}

export const key = (text: unknown): string => name('key', text, 500);
export const reference = (text: unknown): string => name('reference', text, 200);

/** The last name of a page. It is there already, so the rules for new ones are none of its business. */
export function position(field: string, text: unknown): string {
  if (isText(text)) return text;
  throw invalid(field, 'must be the last name of a page');
}

/** What PostgreSQL can keep. */
const isText = (text: unknown): text is string => typeof text === 'string' && !/[\0\p{Cs}]/u.test(text);

/** As the text of a JSON object. */
export function details(value: unknown): string {
  const isPlain = (one: unknown) => one === null || typeof one === 'boolean' || Number.isFinite(one) || isText(one);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && Object.entries(value).flat().every(isPlain)) return JSON.stringify(value);
  throw invalid('details', 'must be an object of text, finite numbers, booleans and null');
}

export function account(field: string, text: unknown): string {
  if (typeof text === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) return text;
  throw invalid(field, 'must be 1 to 64 letters, digits, ".", "_" and "-", a letter or digit first');
}

export function amount(value: unknown): number {
  return integer('amount', value, 1, Number.MAX_SAFE_INTEGER);
}

export function integer(field: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw invalid(field, `must be a whole number from ${least} to ${most}`);
}

export function currency(code: unknown): string {
  if (isCurrency(code)) return code;
  throw invalid('currency', `must be one of ${Object.keys(currencies).join(', ')}`);
}

/** Years of four digits: beyond them PostgreSQL and JavaScript write times in different ways. */
export function instant(field: string, text: unknown): string {
  const isInstant = typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
  // Written again, for 30 February is read as 2 March.
  if (isInstant && new Date(text).getTime() >= Date.parse('0001-01-01') && new Date(text).toISOString() === text) {
    return text;
  }
  throw invalid(field, 'must be a time in UTC such as 2027-03-20T09:30:00.000Z');
}
