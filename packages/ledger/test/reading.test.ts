import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerFailureTypes as failure } from '../src/failure-types.ts';
import type { Statement, StatementPosition } from '../src/index.ts';
import { type Books, createBooks, fresh, later, noon, openedWith, refusalOf } from './harness.ts';

let books: Books;
beforeAll(async () => {
  books = await createBooks('ledger_reading');
});
afterAll(() => books.close());

const payIn = (account: string, amount: number, at: string) =>
  books.ledger.payIn({ key: fresh('pay-in'), at, account, amount, currency: 'EUR' });
const charge = (from: string, to: string, amount: number, at: string) =>
  books.ledger.charge({ key: fresh('charge'), at, from, to, amount, currency: 'EUR' });

describe('a statement', () => {
  it('is in the order of business time, with the balance after each entry', async () => {
    const [account, other] = [await openedWith(books.ledger, 1000), await openedWith(books.ledger, 0)];
    await charge(account, other, 100, later(2000));
    // Written last, as a late attempt is, but it happened before.
    await payIn(account, 50, later(1000));
    expect(await books.ledger.statement({ account })).toEqual({
      account,
      currency: 'EUR',
      opening: 0,
      closing: 950,
      entries: [
        expect.objectContaining({
          kind: 'pay-in',
          amount: 1000,
          balance: 1000,
          at: noon,
          counterparty: 'external:EUR',
        }),
        expect.objectContaining({ kind: 'pay-in', amount: 50, balance: 1050, at: later(1000) }),
        expect.objectContaining({ kind: 'charge', amount: -100, balance: 950, at: later(2000), counterparty: other }),
      ],
    });
  });

  it('has what happened from one time on and before another', async () => {
    const account = await openedWith(books.ledger, 1000);
    for (const second of [1, 2, 3]) await payIn(account, second, later(second * 1000));
    const statement = await books.ledger.statement({ account, from: later(1000), to: later(3000) });
    expect(statement).toMatchObject({ opening: 1000, closing: 1003 });
    expect(statement.entries.map(({ amount }) => amount)).toEqual([1, 2]);
    expect(await books.ledger.statement({ account, from: later(3001) })).toMatchObject({
      opening: 1006,
      closing: 1006,
    });
  });

  it('comes in pages that join without a gap, also between entries of one moment', async () => {
    const account = await openedWith(books.ledger, 1000);
    for (let amount = 1; amount <= 6; amount++) await payIn(account, amount, later(amount > 3 ? 0 : 1000));
    const pages: Statement[] = [];
    let after: StatementPosition | undefined;
    do {
      const page: Statement = await books.ledger.statement({ account, limit: 2, ...(after ? { after } : {}) });
      pages.push(page);
      after = page.next;
    } while (after);
    expect(pages.flatMap(({ entries }) => entries.map(({ amount }) => amount))).toEqual([1000, 4, 5, 6, 1, 2, 3]);
    expect(pages.map(({ opening, closing }) => [opening, closing])).toEqual([
      [0, 1004],
      [1004, 1015],
      [1015, 1018],
      [1018, 1021],
    ]);
  });
});

describe('a balance', () => {
  it('is the one of a time, with what happened at that very moment', async () => {
    const account = await openedWith(books.ledger, 1000);
    await payIn(account, 1, later(5));
    const at = async (time: string) => (await books.ledger.balanceAt({ account, at: time })).balance;
    expect([await at(later(-1)), await at(noon), await at(later(4)), await at(later(5))]).toEqual([
      0, 1000, 1000, 1001,
    ]);
  });

  it('can be had of the accounts that all money passes', async () => {
    const before = (await books.ledger.account({ account: 'external:EUR' })).balance;
    await openedWith(books.ledger, 1000);
    expect(await books.ledger.account({ account: 'external:EUR' })).toMatchObject({
      kind: 'external',
      balance: before - 1000,
    });
    expect(await books.ledger.account({ account: 'suspense:EUR' })).toMatchObject({ kind: 'suspense' });
  });

  it('of nobody is a refusal, and no zero', async () => {
    const account = fresh('nobody');
    expect(await refusalOf(books.ledger.account({ account }))).toBe(failure.unknownAccount);
    expect(await refusalOf(books.ledger.balanceAt({ account, at: noon }))).toBe(failure.unknownAccount);
    expect(await refusalOf(books.ledger.statement({ account }))).toBe(failure.unknownAccount);
  });
});

describe('accounts', () => {
  it('come by name, page by page, without those that all money passes', async () => {
    const opened = new Set<string>();
    for (let i = 0; i < 3; i++) opened.add(await openedWith(books.ledger, i));
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const page = await books.ledger.accounts({ after, limit: 2 });
      expect(page.length).toBeLessThanOrEqual(2);
      seen.push(...page.map(({ account }) => account));
      const last = page.at(-1);
      if (!last) break;
      after = last.account;
    }
    expect(seen).toEqual([...seen].sort());
    expect(seen.filter((account) => opened.has(account))).toHaveLength(3);
    expect(seen.filter((account) => account.includes(':'))).toEqual([]);
  });
});

describe('suspense', () => {
  it('shows what rests, with its age, and not what was settled', async () => {
    const account = await openedWith(books.ledger, 100);
    for (const reference of ['a', 'b', 'c', 'd']) {
      const money = { amount: 10, currency: 'EUR' };
      await books.ledger.withdraw({ key: `${reference}:withdraw`, at: noon, reference, account, ...money });
    }
    await books.ledger.refund({ key: 'b:refund', at: noon, reference: 'b' });
    await books.ledger.refund({ key: 'never:refund', at: noon, reference: 'never' });
    const items = await books.ledger.suspense();
    expect(items).toEqual(
      ['a', 'c', 'd'].map((reference) => {
        return { reference, account, amount: 10, currency: 'EUR', at: noon, age: expect.any(Number) };
      }),
    );
    // Business time is months from now; the age is that of the row.
    for (const { age } of items) expect(age).toBeGreaterThanOrEqual(0);
    for (const { age } of items) expect(age).toBeLessThan(60_000);
    const page = await books.ledger.suspense({ after: 'a', limit: 1 });
    expect(page.map(({ reference }) => reference)).toEqual(['c']);
    expect(await books.ledger.suspense({ olderThan: 60_000 })).toEqual([]);
  });
});

describe('a transfer', () => {
  it('is known by its reference in every state, and unknown before', async () => {
    const [account, to] = [await openedWith(books.ledger, 100), await openedWith(books.ledger, 0)];
    const money = { amount: 10, currency: 'EUR' };
    const [one, other, never] = [fresh('transfer'), fresh('transfer'), fresh('transfer')];
    expect(await books.ledger.transfer({ reference: one })).toBeUndefined();
    for (const reference of [one, other]) {
      await books.ledger.withdraw({ key: `${reference}:withdraw`, at: noon, reference, account, ...money });
      expect(await books.ledger.transfer({ reference })).toEqual({
        reference,
        status: 'resting',
        account,
        at: noon,
        ...money,
      });
    }
    await books.ledger.deposit({ key: `${one}:deposit`, at: noon, reference: one, account: to });
    await books.ledger.refund({ key: `${other}:refund`, at: noon, reference: other });
    await books.ledger.refund({ key: `${never}:refund`, at: later(1), reference: never });
    expect(await books.ledger.transfer({ reference: one })).toMatchObject({ status: 'deposited', account });
    expect(await books.ledger.transfer({ reference: other })).toMatchObject({ status: 'refunded', account });
    expect(await books.ledger.transfer({ reference: never })).toEqual({
      reference: never,
      status: 'cancelled',
      at: later(1),
    });
  });
});

describe('an operation', () => {
  it('is known by its key: done, refused or cancelled, and unknown before', async () => {
    const [from, to] = [await openedWith(books.ledger, 10), await openedWith(books.ledger, 0)];
    const request = { key: fresh('charge'), at: noon, from, to, amount: 11, currency: 'EUR' };
    expect(await books.ledger.operation({ key: request.key })).toBeUndefined();
    expect(await refusalOf(books.ledger.charge(request))).toBe(failure.insufficientFunds);
    expect(await books.ledger.operation({ key: request.key })).toEqual({
      key: request.key,
      kind: 'charge',
      status: 'refused',
      outcome: expect.objectContaining({ type: failure.insufficientFunds }),
      at: noon,
      createdAt: expect.stringMatching(/Z$/),
    });
    const [late, refund] = [fresh('charge'), fresh('refund')];
    await books.ledger.refundCharge({ key: refund, at: noon, charge: late });
    expect(await books.ledger.operation({ key: late })).toMatchObject({ status: 'cancelled', outcome: null });
    expect(await books.ledger.operation({ key: refund })).toMatchObject({
      status: 'done',
      outcome: { refunded: false },
    });
  });
});

describe('what cannot be asked for', () => {
  const cases: [string, () => Promise<unknown>][] = [
    ['an account without a name', () => books.ledger.account({ account: '' })],
    ['a page without rows', () => books.ledger.accounts({ limit: 0 })],
    ['a page without an end', () => books.ledger.suspense({ limit: Number.POSITIVE_INFINITY })],
    ['a time without a zone', () => books.ledger.balanceAt({ account: 'a', at: '2027-03-20T12:00:00' })],
    ['a negative age', () => books.ledger.suspense({ olderThan: -1 })],
    ['a time that is a date', () => books.ledger.statement({ account: 'a', from: '2027-03-20' })],
  ];
  it.each(cases)('%s', async (_, ask) => {
    expect(await refusalOf(ask())).toBe(failure.invalidRequest);
  });
});
