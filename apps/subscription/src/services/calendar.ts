import { DateTime, IANAZone } from 'luxon';
import type { Span } from '../contract.ts';

/** The calendar of a time zone. Its data comes with Node and changes with it, so only activities ask. */

/** Instants are ISO 8601 in UTC, with milliseconds. */
export interface BoundaryRequest {
  anchor: string;
  timeZone: string;
  span: Span;
  /** How many times the span is added: from 0. */
  count: number;
}

/**
 * The instant that is `count` spans after the anchor, by the clock on the wall in that time zone. Always counted from the
 * anchor, so that nothing drifts: a month after 31 January is the last day of February, two months after it 31 March. A
 * time that a change to daylight saving leaves out is that much later; of one that there is twice, it is the first.
 */
export function boundary({ anchor, timeZone, span, count }: BoundaryRequest): { at: string } {
  const start = DateTime.fromISO(anchor, { zone: timeZone });
  const [[unit, each] = ['seconds', 0]] = Object.entries(span) as [string, number][];
  const at = start.plus({ [unit]: each * count }).toUTC();
  if (!at.isValid) throw new Error(`No such time: ${count} × ${each} ${unit} after ${anchor} in ${timeZone}`);
  return { at: new Date(at.toMillis()).toISOString() };
}

/** Whether this is the name of a time zone here. */
export const isTimeZone = (name: string): boolean => IANAZone.isValidZone(name);

/** `31 January 2027, 09:00 (Europe/Berlin)`. */
export const inWordsAt = (instant: string, timeZone: string): string =>
  `${DateTime.fromISO(instant, { zone: timeZone, locale: 'en' }).toFormat('d MMMM yyyy, HH:mm')} (${timeZone})`;
