import { fieldErrors } from '@repo/worker-kit';
import { describe, expect, it } from 'vitest';
import { requestedAt, tripRequestAtTheDoor, tripRequestInTheWorkflow } from '../src/contract.ts';

const now = Date.parse('2026-06-01T12:00:00Z');
const good = {
  tripId: 'lisbon-1',
  traveller: 'Ada Lovelace',
  passengers: 2,
  from: 'BER',
  to: 'LIS',
  departure: '2026-06-02',
  return: '2026-06-05',
};

const refusals = (input: unknown, schema = tripRequestAtTheDoor(now)) => {
  const parsed = schema.safeParse(input);
  return parsed.success ? [] : fieldErrors(parsed.error, input).map(({ field, message }) => `${field} ${message}`);
};

describe('a trip request at the door', () => {
  it('is taken as it is', () => {
    expect(tripRequestAtTheDoor(now).parse(good)).toEqual(good);
  });

  it.each([
    ['return before departure', { return: '2026-06-01' }, 'return must be after departure'],
    ['return on the day of departure', { return: '2026-06-02' }, 'return must be after departure'],
    ['61 nights', { return: '2026-08-02' }, 'return must be at most 60 days after departure'],
    [
      'departure in the past',
      { departure: '2026-05-31' },
      'departure must not be in the past: tomorrow at the earliest',
    ],
    ['departure today', { departure: '2026-06-01' }, 'departure must not be in the past: tomorrow at the earliest'],
    [
      'departure in three years',
      { departure: '2029-06-01', return: '2029-06-02' },
      'departure must be within two years',
    ],
    ['no passengers', { passengers: 0 }, 'passengers must be at least 1'],
    ['minus one passenger', { passengers: -1 }, 'passengers must be at least 1'],
    ['10,001 passengers', { passengers: 10_001 }, 'passengers must be at most 100'],
    ['1e400 passengers', { passengers: JSON.parse('1e400') }, 'passengers must be a whole number'],
    ['one and a half passengers', { passengers: 1.5 }, 'passengers must be a whole number'],
    ['passengers as text', { passengers: '2' }, 'passengers must be a whole number'],
    ['passengers left out', { passengers: undefined }, 'passengers is missing'],
    ['an unknown city', { to: 'XXX' }, 'to must be one of AMS'],
    ['the same city', { to: 'BER' }, 'to must be another city than from'],
    ['an empty name', { traveller: '' }, 'traveller must not be empty'],
    ['a name of blanks', { traveller: '   ' }, 'traveller must not be empty'],
    ['a name of 1 MB', { traveller: 'x'.repeat(1024 * 1024) }, 'traveller must have at most 100 characters'],
    ['a name with a line break', { traveller: 'Ada\nLovelace' }, 'traveller must not contain control characters'],
    [
      'a name that turns the text around',
      { traveller: 'Ada\u202eecalevoL' },
      'traveller must not contain control characters',
    ],
    ['an empty trip id', { tripId: '' }, 'tripId must be 1 to 64 letters, digits and hyphens'],
    ['a trip id with a colon', { tripId: 'a:b' }, 'tripId must be 1 to 64 letters, digits and hyphens'],
    ['a trip id with a line break', { tripId: 'a\n' }, 'tripId must be 1 to 64 letters, digits and hyphens'],
    ['a trip id of 65 characters', { tripId: 'a'.repeat(65) }, 'tripId must be 1 to 64 letters, digits and hyphens'],
    [
      'a date that does not exist',
      { departure: '2027-02-29', return: '2027-03-02' },
      'departure must be a date that exists, as YYYY-MM-DD',
    ],
    ['a date in another form', { departure: '2.6.2026' }, 'departure must be a date that exists, as YYYY-MM-DD'],
    ['an unknown field', { meal: 'vegan' }, 'meal is not known here'],
  ])('is refused for %s', (_, changes, refusal) => {
    expect(refusals({ ...good, ...changes })).toEqual([expect.stringContaining(refusal)]);
  });

  it.each([[null], [42], ['text'], [[]]])('is refused if it is %j', (input) => {
    expect(refusals(input)).toEqual([expect.stringContaining('input ')]);
  });

  it('names every field that is wrong', () => {
    expect(refusals({ ...good, passengers: 0, to: 'XXX', meal: 'vegan' })).toHaveLength(3);
  });

  it('takes names of all the world', () => {
    expect(refusals({ ...good, traveller: '李小龍 Ærøskøbing' })).toEqual([]);
  });
});

describe('a trip request in the workflow', () => {
  it('keeps the rules, and ignores what only a newer starter knows', () => {
    expect(refusals({ ...good, meal: 'vegan' }, tripRequestInTheWorkflow(now))).toEqual([]);
    expect(refusals({ ...good, passengers: 0 }, tripRequestInTheWorkflow(now))).toHaveLength(1);
  });
});

describe('the time of a cancellation', () => {
  it.each([
    ['as it was said', { requestedAt: '2026-06-01T11:00:00Z' }, '2026-06-01T11:00:00Z'],
    ['as it was said, in any time zone', { requestedAt: '2026-06-01T13:00:00+02:00' }, '2026-06-01T11:00:00Z'],
    ['now, if it is said to be later', { requestedAt: '2026-06-02T00:00:00Z' }, '2026-06-01T12:00:00Z'],
    ['now, if it cannot be read', { requestedAt: 'yesterday' }, '2026-06-01T12:00:00Z'],
    ['now, if nothing is said', undefined, '2026-06-01T12:00:00Z'],
  ])('is %s', (_, request, expected) => {
    expect(requestedAt(request, now)).toBe(Date.parse(expected));
  });
});
