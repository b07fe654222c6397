import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundary, isTimeZone } from '../src/services/calendar.ts';

const seed = Number(process.env.SEED ?? 1);
const check = (property: fc.IProperty<unknown>) => fc.assert(property as fc.IProperty<[]>, { seed, numRuns: 300 });

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia'];
const timeZone = fc.constantFrom(...zones);
const anchor = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const span = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((months) => ({ months })),
  fc.integer({ min: 1, max: 90 }).map((days) => ({ days })),
  fc.integer({ min: 1, max: 1_000_000 }).map((seconds) => ({ seconds })),
);
const count = fc.integer({ min: 0, max: 120 });

const ends = (from: string, zone: string, months: number, counts: number[]) =>
  counts.map((one) => boundary({ anchor: from, timeZone: zone, span: { months }, count: one }).at);

describe('SUB-8 dates', () => {
  it('of a 31st and of a 29 February do not drift', () => {
    expect(ends('2027-01-31T12:00:00.000Z', 'UTC', 1, [1, 2, 3, 12, 13])).toEqual([
      '2027-02-28T12:00:00.000Z',
      '2027-03-31T12:00:00.000Z',
      '2027-04-30T12:00:00.000Z',
      '2028-01-31T12:00:00.000Z',
      '2028-02-29T12:00:00.000Z',
    ]);
    expect(ends('2028-02-29T00:00:00.000Z', 'UTC', 12, [1, 4])).toEqual([
      '2029-02-28T00:00:00.000Z',
      '2032-02-29T00:00:00.000Z',
    ]);
  });

  it('keep the time on the wall when daylight saving begins and ends', () => {
    // Nine in the morning in Berlin.
    expect(ends('2027-03-01T08:00:00.000Z', 'Europe/Berlin', 1, [1, 8])).toEqual([
      '2027-04-01T07:00:00.000Z',
      '2027-11-01T08:00:00.000Z',
    ]);
    // Half past two, which 28 March 2027 does not have.
    expect(ends('2027-02-28T01:30:00.000Z', 'Europe/Berlin', 1, [1, 2])).toEqual([
      '2027-03-28T01:30:00.000Z',
      '2027-04-28T00:30:00.000Z',
    ]);
  });

  it('come one after the other, and begin with the anchor', () => {
    check(
      fc.property(anchor, timeZone, span, count, (from, zone, each, n) => {
        const at = (k: number) => boundary({ anchor: from, timeZone: zone, span: each, count: k }).at;
        expect(at(0)).toBe(from);
        expect(at(n + 1) > at(n)).toBe(true);
      }),
    );
  });

  it('are the day of the month of the anchor, or the last day of a shorter month', () => {
    const dayIn = (instant: string, zone: string) =>
      Number(new Intl.DateTimeFormat('en', { timeZone: zone, day: 'numeric' }).format(new Date(instant)));
    check(
      fc.property(
        anchor,
        fc.constantFrom('UTC', 'Europe/Berlin'),
        fc.integer({ min: 1, max: 120 }),
        (from, zone, n) => {
          const { at } = boundary({ anchor: from, timeZone: zone, span: { months: 1 }, count: n });
          const [wanted, day] = [dayIn(from, zone), dayIn(at, zone)];
          const isLastOfMonth = dayIn(new Date(Date.parse(at) + 86_400_000).toISOString(), zone) === 1;
          expect(day === wanted || (day < wanted && isLastOfMonth)).toBe(true);
        },
      ),
    );
  });

  it('are the same whatever the zone of the worker', () => {
    const { TZ } = process.env;
    const request = { anchor: '2027-01-31T23:30:00.000Z', timeZone: 'America/New_York', span: { months: 1 }, count: 1 };
    try {
      const all = zones.map((zone) => {
        process.env.TZ = zone;
        return boundary(request).at;
      });
      expect(new Set(all)).toEqual(new Set(['2027-02-28T23:30:00.000Z']));
    } finally {
      // Assigned, undefined would be the zone "undefined".
      if (TZ === undefined) delete process.env.TZ;
      else process.env.TZ = TZ;
    }
  });

  it('have a zone that is known here', () => {
    expect(['Europe/Berlin', 'UTC', 'Europe/Nowhere'].map(isTimeZone)).toEqual([true, true, false]);
  });
});
