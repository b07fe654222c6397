import { createPool } from '@repo/operations';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerFailureTypes as failure } from '../src/failure-types.ts';
import { createLedger, createLedgerActivities, type LedgerActivities, LedgerError } from '../src/index.ts';
import { type Books, createBooks, expectSound, fresh, later, noon, openedWith, stored } from './harness.ts';

let books: Books;
let activities: LedgerActivities;
beforeAll(async () => {
  books = await createBooks('ledger_activities');
  activities = createLedgerActivities(books.ledger);
});
afterAll(() => books.close());

/** A first call of each activity that has an effect, and one that shares everything with it but the key. */
const requests: { [name in keyof LedgerActivities]: (key: string) => Promise<Parameters<LedgerActivities[name]>[0]> } =
  {
    openAccount: async (key) => ({ key, at: noon, account: fresh('account'), currency: 'EUR' }),
    freezeAccount: async (key) => ({ key, at: noon, account: await openedWith(books.ledger, 10) }),
    unfreezeAccount: async (key) => {
      const account = await openedWith(books.ledger, 10);
      await books.ledger.freezeAccount({ key: `${key}:freeze`, at: noon, account });
      return { key, at: noon, account };
    },
    closeAccount: async (key) => ({ key, at: noon, account: await openedWith(books.ledger, 0) }),
    payIn: async (key) => ({ key, at: noon, account: await openedWith(books.ledger, 10), amount: 5, currency: 'EUR' }),
    withdraw: (key) => withdrawal(key),
    deposit: async (key) => {
      const { reference } = await resting(key);
      return { key, at: noon, reference, account: await openedWith(books.ledger, 0) };
    },
    refund: async (key) => ({ key, at: noon, reference: (await resting(key)).reference }),
    charge: (key) => charge(key),
    refundCharge: async (key) => {
      const charged = await charge(`${key}:charge`);
      await books.ledger.charge(charged);
      return { key, at: noon, charge: charged.key };
    },
  };

async function withdrawal(key: string) {
  const account = await openedWith(books.ledger, 10);
  return { key, at: noon, reference: `${key}:reference`, account, amount: 5, currency: 'EUR' };
}
async function resting(key: string) {
  const request = await withdrawal(`${key}:withdraw`);
  await books.ledger.withdraw(request);
  return request;
}
async function charge(key: string) {
  const [from, to] = [await openedWith(books.ledger, 10), await openedWith(books.ledger, 10)];
  return { key, at: noon, from, to, amount: 5, currency: 'EUR' };
}

const names = Object.keys(requests) as (keyof LedgerActivities)[];

describe('ALL-1 every activity', () => {
  const call = (name: keyof LedgerActivities, request: unknown) =>
    (activities[name] as (request: unknown) => Promise<unknown>)(request);
  const everything = async () => {
    const select = `SELECT (SELECT count(*) FROM entries) AS entries, (SELECT count(*) FROM operations) AS operations,
      (SELECT jsonb_agg(to_jsonb(a) ORDER BY id) FROM accounts AS a) AS accounts`;
    return (await books.pool.query(select)).rows;
  };

  it.each(names)('%s twice, late and at once has one effect and one answer', async (name) => {
    const key = fresh(name);
    const request = await requests[name](key);
    const [one, other] = await Promise.all([call(name, request), call(name, structuredClone(request))]);
    const after = await everything();
    const late = await call(name, { ...request, at: later(3_600_000) });
    expect([other, late]).toEqual([one, one]);
    expect(one).not.toHaveProperty('replayed');
    expect(JSON.parse(JSON.stringify(one))).toEqual(one);
    expect(await everything()).toEqual(after);
    expect((await stored(books, key)).statuses).toEqual(['done']);
    await expectSound(books);
  });

  it('are all of them', () => {
    expect(names.sort()).toEqual(Object.keys(activities).sort());
  });
});

describe('failures', () => {
  const failureOf = (call: Promise<unknown>) =>
    call.then(
      () => expect.fail('it did not fail'),
      (error: unknown) => {
        expect(error).toBeInstanceOf(ApplicationFailure);
        return error as ApplicationFailure;
      },
    );

  it('are not retried if they are an answer, and say what is to be known', async () => {
    const account = await openedWith(books.ledger, 10);
    const request = { ...(await withdrawal(fresh('withdraw'))), account, amount: 11 };
    const failed = await failureOf(activities.withdraw(request));
    expect(failed).toMatchObject({
      type: failure.insufficientFunds,
      nonRetryable: true,
      category: ApplicationFailureCategory.BENIGN,
      message: `Account ${account} has not enough funds`,
      details: [{ account, balance: 10, overdraft: 0 }],
    });
    expect(failed.cause).toBeInstanceOf(LedgerError);
    const mismatch = await failureOf(activities.withdraw({ ...request, amount: 1 }));
    expect(mismatch).toMatchObject({ type: failure.mismatch, nonRetryable: true });
    const invalid = await failureOf(activities.withdraw({ ...request, amount: -1 }));
    expect(invalid).toMatchObject({ type: failure.invalidRequest, nonRetryable: true, details: [{ field: 'amount' }] });
  });

  it('are retried if there is no answer', async () => {
    const pool = createPool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', connectionTimeoutMillis: 1000 });
    const { payIn } = createLedgerActivities(createLedger(pool));
    const request = { key: 'k', at: noon, account: 'a', amount: 1, currency: 'EUR' };
    const failed = await failureOf(payIn(request));
    expect(failed).toMatchObject({ type: failure.databaseUnavailable, nonRetryable: false });
    expect(failed.cause).toMatchObject({ name: 'DatabaseUnavailable' });
    await pool.end();
  });

  it('that are bugs stay what they are', async () => {
    const broken = createLedgerActivities({
      ...books.ledger,
      payIn: () => Promise.reject(new TypeError('a bug')),
    });
    await expect(broken.payIn({} as never)).rejects.toBeInstanceOf(TypeError);
  });
});
