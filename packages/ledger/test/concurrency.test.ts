import { createPool } from '@repo/operations';
import { createCutter } from '@repo/testing/cutter';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ledgerFailureTypes as failure } from '../src/failure-types.ts';
import { createLedger } from '../src/index.ts';
import {
  type Books,
  balanceOf,
  createBooks,
  expectSound,
  fresh,
  noon,
  openedWith,
  refusalOf,
  stored,
} from './harness.ts';

let books: Books;
beforeAll(async () => {
  books = await createBooks('ledger_concurrency');
});
afterAll(() => books.close());

const many = <Result>(count: number, call: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));
const withdrawal = (account: string, amount: number) => {
  const reference = fresh('transfer');
  return { key: `${reference}:withdraw`, at: noon, reference, account, amount, currency: 'EUR' };
};
const outcome = (call: Promise<{ replayed: boolean }>) =>
  call.then(
    ({ replayed }) => (replayed ? 'replayed' : 'done'),
    (error: { type?: string; message: string }) => error.type ?? error.message,
  );
const tally = (outcomes: string[]) =>
  Object.fromEntries([...new Set(outcomes)].sort().map((one) => [one, outcomes.filter((each) => each === one).length]));

/** How many of the ledger's calls wait for a lock. */
async function waiting(): Promise<number> {
  const select = `SELECT count(*) FROM pg_locks
    WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  return Number((await books.owner.query(select)).rows[0].count);
}

describe('at once', () => {
  it('100 withdrawals leave exactly what is allowed', async () => {
    const account = await openedWith(books.ledger, 1000, { overdraft: 50 });
    const outcomes = await many(100, () => outcome(books.ledger.withdraw(withdrawal(account, 30))));
    expect(tally(outcomes)).toEqual({ done: 35, [failure.insufficientFunds]: 65 });
    expect(await balanceOf(books.ledger, account)).toBe(-50);
    await expectSound(books);
  });

  it('20 calls with one key have one effect, and all get its answer', async () => {
    const account = await openedWith(books.ledger, 1000);
    const request = withdrawal(account, 30);
    const answers = await many(20, () => books.ledger.withdraw(request));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map((answer) => JSON.stringify({ ...answer, replayed: true })))).toHaveProperty('size', 1);
    expect(await balanceOf(books.ledger, account)).toBe(970);
    expect(await stored(books, request.key)).toMatchObject({ statuses: ['done'] });
  });

  it('20 calls with one key and two requests have the effect of one of them', async () => {
    const account = await openedWith(books.ledger, 1000);
    const request = withdrawal(account, 30);
    const outcomes = await many(20, (i) => outcome(books.ledger.withdraw({ ...request, amount: 30 + (i % 2) })));
    expect(tally(outcomes)).toEqual({ done: 1, replayed: 9, [failure.mismatch]: 10 });
    expect([969, 970]).toContain(await balanceOf(books.ledger, account));
  });

  it('A → B and B → A never wait for each other', async () => {
    const [a, b] = [await openedWith(books.ledger, 10_000), await openedWith(books.ledger, 10_000)];
    const deadlocks = async () => {
      // The server counts what a session has met only when that session is idle.
      await books.owner.query('SELECT pg_stat_force_next_flush()');
      const { rows } = await books.owner.query(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      return Number(rows[0].deadlocks);
    };
    const before = await deadlocks();
    const outcomes = await many(200, (i) => {
      const [from, to] = i % 2 === 0 ? [a, b] : [b, a];
      return outcome(books.ledger.charge({ key: fresh('charge'), at: noon, from, to, amount: 1 + i, currency: 'EUR' }));
    });
    expect(tally(outcomes)).toEqual({ done: 200 });
    expect((await balanceOf(books.ledger, a)) - (await balanceOf(books.ledger, b))).toBe(200);
    expect(await deadlocks()).toBe(before);
    await expectSound(books);
  });

  it.each([1, 2, 3])('a deposit and a refund cannot both have the money (%d)', async () => {
    const [from, to] = [await openedWith(books.ledger, 100), await openedWith(books.ledger, 0)];
    const request = withdrawal(from, 100);
    const { reference } = request;
    await books.ledger.withdraw(request);
    const outcomes = await many(20, (i) =>
      i % 2 === 0
        ? outcome(books.ledger.deposit({ key: `${reference}:deposit:${i}`, at: noon, reference, account: to }))
        : outcome(books.ledger.refund({ key: `${reference}:refund:${i}`, at: noon, reference })),
    );
    expect(tally(outcomes)).toEqual({ done: 1, [failure.nothingInSuspense]: 19 });
    expect((await balanceOf(books.ledger, from)) + (await balanceOf(books.ledger, to))).toBe(100);
    await expectSound(books);
  });

  it('a withdrawal and its refund leave the money where it was, whichever comes first', async () => {
    const account = await openedWith(books.ledger, 1000);
    const both = await many(40, async () => {
      const request = withdrawal(account, 30);
      const refund = { key: `${request.reference}:refund`, at: noon, reference: request.reference };
      return Promise.all([outcome(books.ledger.withdraw(request)), outcome(books.ledger.refund(refund))]);
    });
    for (const [withdrawn, refunded] of both) {
      expect(['done', failure.cancelled, failure.insufficientFunds]).toContain(withdrawn);
      expect(refunded).toBe('done');
    }
    expect(await balanceOf(books.ledger, account)).toBe(1000);
    await expectSound(books);
  });

  it('of many charges that settle the same, one succeeds, and the others name it', async () => {
    const [from, to] = [await openedWith(books.ledger, 1000), await openedWith(books.ledger, 0)];
    const settles = fresh('period');
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        books.ledger.charge({ key: fresh('try'), at: noon, from, to, amount: 10 + i, currency: 'EUR', settles }),
      ),
    );
    const done = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(done).toHaveLength(1);
    const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refused.map(({ type, details }) => [type, details.key])).toEqual(
      Array(19).fill([failure.alreadySettled, done[0]?.key]),
    );
    expect(await balanceOf(books.ledger, to)).toBe(done[0]?.amount);
  });

  it('a charge and its refund leave the money where it was, whichever comes first', async () => {
    const [from, to] = [await openedWith(books.ledger, 1000), await openedWith(books.ledger, 1000)];
    const both = await many(20, async () => {
      const charge = { key: fresh('charge'), at: noon, from, to, amount: 30, currency: 'EUR' };
      const refund = { key: `${charge.key}:refund`, at: noon, charge: charge.key };
      return Promise.all([outcome(books.ledger.charge(charge)), outcome(books.ledger.refundCharge(refund))]);
    });
    for (const [, refunded] of both) expect(refunded).toBe('done');
    expect([await balanceOf(books.ledger, from), await balanceOf(books.ledger, to)]).toEqual([1000, 1000]);
  });

  it('a refund waits for the charge that is about to be committed', async () => {
    const [from, to] = [await openedWith(books.ledger, 100), await openedWith(books.ledger, 0)];
    const key = fresh('charge');
    const client = await books.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT charge($1, $2, $3, $4, $5, $6)', [key, noon, from, to, 30, 'EUR']);
      const refund = books.ledger.refundCharge({ key: `${key}:refund`, at: noon, charge: key });
      await vi.waitFor(async () => expect(await waiting()).toBe(1), { timeout: 10_000 });
      await client.query('COMMIT');
      expect(await refund).toMatchObject({ refunded: true, posting: { amount: 30 } });
    } finally {
      // Not kept: its transaction may be open.
      client.release(true);
    }
    expect([await balanceOf(books.ledger, from), await balanceOf(books.ledger, to)]).toEqual([100, 0]);
  });

  it('an account is opened once, and the first two of a currency do not meet', async () => {
    const account = fresh('account');
    const open = (key: string, name: string) =>
      outcome(books.ledger.openAccount({ key, at: noon, account: name, currency: 'CHF' }));
    const others = many(10, () => open(fresh('open'), fresh('account')));
    const outcomes = await many(10, () => open(fresh('open'), account));
    expect(tally(outcomes)).toEqual({ [failure.accountExists]: 9, done: 1 });
    expect(tally(await others)).toEqual({ done: 10 });
  });

  it('a closed account takes nothing that was on its way to it', async () => {
    const account = await openedWith(books.ledger, 0);
    const payIn = (i: number) =>
      outcome(books.ledger.payIn({ key: fresh('pay-in'), at: noon, account, amount: 1 + i, currency: 'EUR' }));
    const close = outcome(books.ledger.closeAccount({ key: fresh('close'), at: noon, account }));
    const outcomes = await many(10, payIn);
    const closed = (await close) === 'done';
    expect(tally(outcomes)).toEqual(closed ? { [failure.accountClosed]: 10 } : { done: 10 });
    await expectSound(books);
  });
});

describe('a connection that is cut', () => {
  it.each([
    ['before', 'done'],
    ['after', 'replayed'],
  ] as const)('%s the posting: asked again, it is %s', async (when, second) => {
    const account = await openedWith(books.ledger, 1000);
    const cutter = await createCutter(books.url);
    const pool = createPool({ connectionString: cutter.url, max: 1 });
    const ledger = createLedger(pool);
    const request = withdrawal(account, 30);
    try {
      cutter.cutNext('withdraw(', when);
      await expect(ledger.withdraw(request)).rejects.toMatchObject({ name: 'DatabaseUnavailable' });
      expect(await balanceOf(books.ledger, account)).toBe(when === 'before' ? 1000 : 970);
      expect(await outcome(ledger.withdraw(request))).toBe(second);
      expect(await balanceOf(books.ledger, account)).toBe(970);
    } finally {
      await pool.end();
      cutter.close();
    }
  });

  it('is one round trip: a posting is one statement, and no other is sent', async () => {
    const account = await openedWith(books.ledger, 1000);
    const client = await books.pool.connect();
    const sent: unknown[] = [];
    const { query } = client;
    client.query = ((...args: unknown[]) => {
      sent.push(args[0]);
      return Reflect.apply(query, client, args);
    }) as typeof query;
    const pool = { connect: async () => client } as unknown as typeof books.pool;
    await createLedger(pool).withdraw(withdrawal(account, 30));
    expect(sent).toEqual(['SELECT withdraw($1, $2, $3, $4, $5, $6, $7, $8) AS answer']);
  });

  it('is no refusal: what has no answer is told apart', async () => {
    const pool = createPool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', connectionTimeoutMillis: 1000 });
    await expect(createLedger(pool).withdraw(withdrawal('a', 1))).rejects.toMatchObject({
      name: 'DatabaseUnavailable',
    });
    await expect(refusalOf(createLedger(pool).account({ account: 'a' }))).rejects.toThrow('No connection');
    await pool.end();
  });
});
