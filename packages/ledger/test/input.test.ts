import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerFailureTypes as failure } from '../src/failure-types.ts';
import type { WithdrawRequest } from '../src/index.ts';
import { type Books, balanceOf, createBooks, fresh, noon, openedWith, refusalOf, stored } from './harness.ts';

let books: Books;
beforeAll(async () => {
  books = await createBooks('ledger_input');
});
afterAll(() => books.close());

const bad: { [field in keyof WithdrawRequest]-?: unknown[] } = {
  key: ['', 'k'.repeat(501), 'a\0b', 'a\nb', '\ud800', 7, undefined, null, {}],
  reference: ['', 'r'.repeat(201), 'a\0b', '\u0085', 7, undefined],
  account: ['', ' ', 'a b', 'a:b', 'suspense:EUR', 'ä', 'a'.repeat(65), '-a', 'a\n', 7, undefined],
  target: ['', 'a b', 'suspense:EUR', 7],
  details: ['text', 7, [], { a: undefined }, { a: {} }, { a: 5n }, { a: Number.NaN }, { a: 'b\0' }, { 'a\ud800': 1 }],
  amount: [0, -1, 0.5, 1e21, Number('1e400'), Number.NaN, -0, 2 ** 53, '5', 5n, undefined, null],
  currency: ['', 'eur', 'EUR ', 'XXX', 'constructor', 978, undefined],
  at: [
    '',
    'now',
    '2027-02-30T12:00:00.000Z',
    '2027-03-20',
    '+012027-03-20T12:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    5,
  ],
};
const cases = Object.entries(bad).flatMap(([field, values]) =>
  values.map((value): [string, unknown] => [field, value]),
);

describe('a request', () => {
  it.each(cases)('is refused for its %s %o, with nothing written and its key still free', async (field, value) => {
    const account = await openedWith(books.ledger, 1000);
    const reference = fresh('reference');
    const request = { key: `${reference}:withdraw`, at: noon, reference, account, amount: 5, currency: 'EUR' };
    const call = books.ledger.withdraw({ ...request, [field]: value });
    await expect(call).rejects.toMatchObject({ type: failure.invalidRequest, details: { field } });
    expect(await stored(books, request.key)).toEqual({ statuses: [], entries: [] });
    expect(await books.ledger.withdraw(request)).toMatchObject({ amount: 5, replayed: false });
    expect(await balanceOf(books.ledger, account)).toBe(995);
  });

  it('takes names in any script, and the longest there may be', async () => {
    const account = await openedWith(books.ledger, 10);
    const reference = '振込🏦'.padEnd(200, 'é');
    const request = { key: 'ключ'.padEnd(500, 'é'), at: noon, reference, account, amount: 5, currency: 'EUR' };
    expect(await books.ledger.withdraw(request)).toMatchObject({ key: request.key, replayed: false });
    expect(await books.ledger.suspense({ limit: 1000 })).toContainEqual(expect.objectContaining({ reference }));
  });

  it('counts characters, and reads on behind whatever name there is', async () => {
    const account = await openedWith(books.ledger, 10);
    const reference = '🏦'.repeat(200);
    const request = { key: fresh('bank'), at: noon, reference, account, amount: 5, currency: 'EUR' };
    await books.ledger.withdraw(request);
    expect(await books.ledger.transfer({ reference })).toMatchObject({ status: 'resting' });
    expect(await books.ledger.suspense({ after: `${reference}\x01` })).toEqual([]);
    expect(await refusalOf(books.ledger.suspense({ after: '\0' }))).toBe(failure.invalidRequest);
    expect(await refusalOf(books.ledger.withdraw({ ...request, reference: `${reference}é` }))).toBe(
      failure.invalidRequest,
    );
  });

  it('charges nobody for himself, and is no refund of itself', async () => {
    const account = await openedWith(books.ledger, 10);
    const charge = { key: fresh('charge'), at: noon, from: account, to: account, amount: 5, currency: 'EUR' };
    expect(await refusalOf(books.ledger.charge(charge))).toBe(failure.invalidRequest);
    const refund = books.ledger.refundCharge({ key: charge.key, at: noon, charge: charge.key });
    expect(await refusalOf(refund)).toBe(failure.invalidRequest);
    expect(await stored(books, charge.key)).toEqual({ statuses: [], entries: [] });
  });
});
