import type { Span } from '../contract.ts';
import { type Life, spanOf, standing } from './life.ts';

/** From where the ends of periods are counted. Always from as long ago as one unit goes on, so that no date drifts. */

/** `months` and how many. */
function unitOf(span: Span): [unit: string, each: number] {
  const [[unit, each] = ['seconds', 0]] = Object.entries(span) as [string, number][];
  return [unit, each];
}

/**
 * From where the end of the period after the open one is counted. The first one, and the first of another length, begin where
 * the one before ends; but months that follow months are counted on from where those began, for a trial from 31 January may
 * end on the 28th, and what comes after it is due on the 31st all the same.
 */
export function nextAnchor(life: Life): Life['anchor'] {
  const { terms, period: last } = standing(life);
  const number = last.number + 1;
  const { span, from } = spanOf(life, number);
  if (from !== number) return life.anchor;
  const begun = { at: last.endsAt, number };
  const before = last.number === 0 ? terms.plan.trial : spanOf(life, last.number).span;
  if (before === 'none') return begun;
  const [unit, each] = unitOf(before);
  if (unit !== unitOf(span)[0]) return begun;
  const { at, count } = life.anchor.since ?? { at: last.number === 0 ? life.startedAt : life.anchor.at, count: 0 };
  const passed = last.number === 0 ? 1 : number - life.anchor.number;
  return { ...begun, since: { at, count: count + each * passed } };
}

/** What to ask the calendar for the end of the period after the open one. */
export function nextEnd(life: Life) {
  const { terms, period } = standing(life);
  const number = period.number + 1;
  const anchor = nextAnchor(life);
  const [unit, each] = unitOf(spanOf(life, number).span);
  const { at, count } = anchor.since ?? { at: anchor.at, count: 0 };
  const all = count + each * (number - anchor.number + 1);
  return { anchor: at, timeZone: terms.timeZone, span: { [unit]: 1 } as Span, count: all };
}
