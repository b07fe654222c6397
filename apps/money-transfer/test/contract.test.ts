import { parseAmount } from '@repo/ledger/money';
import { InvalidInputError, parseInput, parseJson } from '@repo/worker-kit';
import { describe, expect, it } from 'vitest';
import { atTheDoor, differingFields, inTheWorkflow, isSamePerson, transferWorkflowId } from '../src/contract.ts';

const good = { reference: 'R-1', from: 'a', to: 'b', amount: 1250, currency: 'EUR', requestedBy: 'Ada' } as const;

/** What is said of which field. */
function refusals(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.fields.map(({ field, message }) => `${field} ${message}`);
  }
}

describe('at the door', () => {
  it.each([
    ['amount', 0, 'must be more than zero'],
    ['amount', -1, 'must be more than zero'],
    ['amount', 12.5, 'must be a whole number of minor units'],
    ['amount', 1e21, 'must be a whole number of minor units'],
    ['amount', Number.POSITIVE_INFINITY, 'must be a whole number of minor units'],
    ['amount', Number.NaN, 'must be a whole number of minor units'],
    ['amount', Number.MAX_SAFE_INTEGER + 1, 'must be a whole number of minor units'],
    ['amount', '1250', 'must be a whole number of minor units'],
    ['amount', undefined, 'is missing'],
    ['currency', 'XXX', 'must be one of AUD'],
    ['currency', 'eur', 'must be one of AUD'],
    ['currency', 'toString', 'must be one of AUD'],
    ['to', 'a', 'must be another account than from'],
    ['to', 'suspense:EUR', 'must be 1 to 64 letters'],
    ['from', '', 'must be 1 to 64 letters'],
    ['from', 'x'.repeat(65), 'must be 1 to 64 letters'],
    ['from', 7, 'must be text'],
    ['reference', '', 'must be 1 to 100 letters'],
    ['reference', 'x'.repeat(300), 'must be 1 to 100 letters'],
    ['reference', 'a\nb', 'must be 1 to 100 letters'],
    ['reference', 'a\n', 'must be 1 to 100 letters'],
    ['reference', 'a:deposit', 'must be 1 to 100 letters'],
    ['reference', 'αβγ', 'must be 1 to 100 letters'],
    ['requestedBy', '', 'must not be empty'],
    ['requestedBy', ' ', 'must not be empty'],
    ['requestedBy', 'x'.repeat(101), 'must have at most 100 characters'],
    ['requestedBy', 'A\u202eda', 'must not contain control characters'],
    ['requestedBy', '\ud800', 'must not contain control characters'],
    // A variation selector, a combining grapheme joiner, a Hangul filler, a blank of Braille: none of them is seen.
    ['requestedBy', 'Ada\ufe0f', 'must not contain control characters'],
    ['requestedBy', 'Ada\u034f', 'must not contain control characters'],
    ['requestedBy', 'Ada\u3164', 'must not contain control characters'],
    ['requestedBy', 'Ada\u2800', 'must not contain control characters'],
    ['approvalWithin', 0, 'must be at least 1'],
    ['approvalWithin', 1.5, 'must be a whole number of seconds'],
    ['approvalWithin', 2_592_001, 'must be at most 2592000, 30 days'],
    ['priority', 'high', 'is not known here'],
  ])('%s %j is refused by its name', (field, value, message) => {
    const said = refusals(() => parseInput(atTheDoor.transfer, { ...good, [field]: value }));
    expect(said).toEqual([expect.stringContaining(`${field} ${message}`)]);
    // The value itself is not repeated: it may be long, or hold control characters.
    expect(said[0]?.length).toBeLessThan(220);
  });

  it('1e400 in JSON is refused as well', () => {
    const text = JSON.stringify(good).replace('1250', '1e400');
    expect(refusals(() => parseJson(atTheDoor.transfer, text))).toEqual([
      expect.stringContaining('amount must be a whole number of minor units'),
    ]);
  });

  it.each([
    ['12.505', 'EUR', 'must have at most 2 decimals in EUR'],
    ['12.5', 'JPY', 'must have no decimals in JPY'],
    ['1e400', 'EUR', 'must be an amount such as'],
    ['0', 'EUR', 'must be more than zero'],
  ])('%s %s is no amount', (text, currency, message) => {
    expect(() => parseAmount(text, currency)).toThrow(message);
  });

  it('every field that is wrong is named', () => {
    expect(
      refusals(() => parseInput(atTheDoor.transfer, { ...good, amount: 0, reference: '', currency: 'X' })),
    ).toHaveLength(3);
  });

  it.each([[null], [42], ['text'], [[]]])('%j is refused', (input) => {
    expect(refusals(() => parseInput(atTheDoor.transfer, input))).not.toEqual([]);
  });

  it('what is right is taken as it is, with a day for approval', () => {
    expect(atTheDoor.transfer.parse(good)).toEqual({ ...good, approvalWithin: 86_400 });
  });
});

describe('in the workflow', () => {
  it('the rules are the same, and what only a newer client knows is ignored', () => {
    expect(inTheWorkflow.transfer.parse({ ...good, priority: 'high' })).toEqual({ ...good, approvalWithin: 86_400 });
    expect(inTheWorkflow.transfer.safeParse({ ...good, to: 'a' }).success).toBe(false);
  });
});

it('requests differ by the fields in which they do', () => {
  const one = atTheDoor.transfer.parse(good);
  expect(differingFields(one, { ...one })).toEqual([]);
  expect(differingFields(one, { ...one, amount: 1, to: 'c' })).toEqual(['to', 'amount']);
});

it.each([
  ['Ada', ' ada ', true],
  ['Ada  Lovelace', 'ada lovelace', true],
  ['Ada', 'Ａｄａ', true],
  ['Ada', 'Adam', false],
  ['Ada', 'А\u0064a', false],
])('%j and %j are one person: %s', (one, other, same) => {
  expect(isSamePerson(one, other)).toBe(same);
});

it('the workflow id of the longest reference is one that Temporal takes', () => {
  expect(transferWorkflowId('x'.repeat(100)).length).toBeLessThanOrEqual(1000);
});
