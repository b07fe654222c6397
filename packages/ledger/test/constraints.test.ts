import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Books, createBooks, expectSound, fresh, noon, openedWith } from './harness.ts';

let books: Books;
let account: string;
const transfer = { reference: 'resting', at: noon };

beforeAll(async () => {
  books = await createBooks('ledger_constraints');
  account = await openedWith(books.ledger, 1000);
  await openedWith(books.ledger, 1000, { currency: 'USD' });
  await books.ledger.withdraw({ ...transfer, key: 'resting:withdraw', account, amount: 100, currency: 'EUR' });
});
afterAll(() => books.close());

/** Every row of every table, in text. */
async function everything(): Promise<unknown> {
  const tables = ['accounts', 'operations', 'suspense_items', 'entries'];
  const all = tables.map(
    (name) => `(SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY 1), '[]') FROM ${name} AS t) AS ${name}`,
  );
  return (await books.owner.query(`SELECT ${all.join(', ')}`)).rows;
}

/** The error's SQLSTATE and text, once it is certain that nothing has changed. */
async function refused(sql: string, by: 'pool' | 'owner'): Promise<string> {
  const before = await everything();
  const outcome = await books[by].query(sql).then(
    () => 'done',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  );
  expect(await everything()).toEqual(before);
  await expectSound(books);
  return outcome;
}

describe("the application's own role", () => {
  it.each([
    [`UPDATE entries SET amount = 1`],
    [`DELETE FROM entries`],
    [`TRUNCATE entries`],
    [
      `INSERT INTO entries (operation_key, account_id, currency, amount, at) VALUES ('resting:withdraw', 'x', 'EUR', 1, now())`,
    ],
    [`UPDATE operations SET status = 'refused'`],
    [`DELETE FROM operations`],
    [`INSERT INTO operations (key, kind, status, at) VALUES ('x', 'charge', 'cancelled', now())`],
    [`UPDATE accounts SET balance = 1000000`],
    [`UPDATE accounts SET overdraft = 1000000`],
    [`INSERT INTO accounts (id, kind, currency, balance, opened_at) VALUES ('x', 'customer', 'EUR', 0, now())`],
    [`DELETE FROM accounts`],
    [`UPDATE suspense_items SET status = 'refunded'`],
    [`DELETE FROM suspense_items`],
    [`TRUNCATE accounts, operations, suspense_items, entries`],
    [`DROP TABLE entries CASCADE`],
    [`ALTER TABLE entries DISABLE TRIGGER ALL`],
    [`ALTER TABLE accounts DROP CONSTRAINT within_limit`],
    [`CREATE TABLE ledger.mine ()`],
    [`CREATE TEMPORARY TABLE accounts (id text)`],
    [`CREATE OR REPLACE FUNCTION withdraw() RETURNS jsonb LANGUAGE sql AS 'SELECT null'`],
    [`SET ROLE ledger_constraints_owner`],
    [`SET session_replication_role = replica`],
    [`SELECT settle(NULL::operations, 'done', '{}')`],
    [`SELECT post(NULL::operations, 'a', 'b', 1, 'EUR')`],
    [`SELECT setval('entries_id_seq', 1)`],
  ])('may not: %s', async (sql) => {
    expect(await refused(sql, 'pool')).toMatch(/^42501 /);
  });

  it('may read the tables, call the functions of 0004, and nothing else', async () => {
    const { rows } = await books.pool.query(
      `SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace
         AND has_function_privilege(oid, 'EXECUTE') ORDER BY proname`,
    );
    const functions = [
      'change_status',
      'charge',
      'deposit',
      'open_account',
      'pay_in',
      'refund',
      'refund_charge',
      'withdraw',
    ];
    expect(rows.map(({ proname }) => proname)).toEqual(functions);
    const { rows: rights } = await books.pool.query(
      `SELECT DISTINCT table_name, privilege_type FROM information_schema.role_table_grants
       WHERE grantee = current_user ORDER BY table_name`,
    );
    expect(rights.map((row) => `${row.privilege_type} ${row.table_name}`)).toEqual([
      'SELECT accounts',
      'SELECT entries',
      'SELECT operations',
      'SELECT suspense_items',
    ]);
  });

  it('cannot make the functions do what the library would not ask for', async () => {
    const notAnAmount = /^23514 value for domain amount/;
    const call = (sql: string) => refused(`SELECT ${sql}`, 'pool');
    const charge = (amount: string) => call(`charge('x', '${noon}', '${account}', 'account-2', ${amount}, 'EUR')`);
    expect(await call(`pay_in('x', '${noon}', '${account}', -5, 'EUR')`)).toMatch(notAnAmount);
    expect(await call(`pay_in('x', '${noon}', '${account}', 0, 'EUR')`)).toMatch(notAnAmount);
    expect(await call(`pay_in('x', '${noon}', '${account}', NULL, 'EUR')`)).toMatch(/^23502 domain amount/);
    expect(await call(`pay_in(NULL, '${noon}', '${account}', 5, 'EUR')`)).toMatch(/^23502 /);
    expect(await call(`withdraw('x', '${noon}', 'x', '${account}', -5, 'EUR')`)).toMatch(notAnAmount);
    expect(await charge('-5')).toMatch(notAnAmount);
    expect(await charge('9223372036854775807')).toMatch(notAnAmount);
    expect(await call(`charge('x', '${noon}', '${account}', '${account}', 5, 'EUR')`)).toMatch(/^23505 /);
    expect(await call(`open_account('x', '${noon}', 'suspense:EUR', 'EUR', 0)`)).toMatch(/^23514 .*names_tell_kinds/);
    expect(await call(`open_account('x', '${noon}', 'x', 'euro', 0)`)).toMatch(/^23514 /);
    expect(await call(`open_account('x', '${noon}', 'x', 'EUR', -1)`)).toMatch(/^23514 .*overdraft/);
    expect(await call(`change_status('x', '${noon}', '${account}', 'rich')`)).toMatch(/^23514 .*status/);
  });

  it('finds no table of its own making in place of one of ours', async () => {
    const { rows } = await books.pool.query(
      `SELECT DISTINCT proconfig FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace`,
    );
    expect(rows).toEqual([{ proconfig: ['search_path=ledger, pg_temp'] }]);
  });

  it('must not be in a transaction that looks at the past', async () => {
    const sql = `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pay_in('x', '${noon}', '${account}', 5, 'EUR')`;
    const client = await books.pool.connect();
    try {
      await expect(client.query(sql)).rejects.toMatchObject({ code: '25000' });
    } finally {
      client.release(true);
    }
  });
});

describe('the owner', () => {
  const operation = (key: string, status = 'done') =>
    `INSERT INTO operations (key, kind, status, request, outcome, at) VALUES ('${key}', 'charge', '${status}', '{}', '{}', '${noon}')`;
  const entry = (key: string, id: string, amount: number | string, currency = 'EUR', reference = 'NULL') =>
    `INSERT INTO entries (operation_key, account_id, currency, amount, reference)
     VALUES ('${key}', '${id}', '${currency}', ${amount}, ${reference})`;
  const owner = (...statements: string[]) => refused(statements.join('; '), 'owner');

  it.each([
    `UPDATE entries SET amount = 1`,
    `DELETE FROM entries WHERE false`,
    `TRUNCATE entries CASCADE`,
    `UPDATE operations SET outcome = '{}'`,
    `DELETE FROM operations`,
    `TRUNCATE operations CASCADE`,
    `DELETE FROM accounts`,
    `DELETE FROM suspense_items`,
    `TRUNCATE suspense_items CASCADE`,
    `UPDATE accounts SET balance = balance + 1 WHERE kind = 'customer'`,
    `UPDATE accounts SET currency = 'JPY' WHERE kind = 'customer'`,
    `UPDATE suspense_items SET amount = 99`,
    `UPDATE suspense_items SET status = 'cancelled'`,
  ])('may not: %s', async (sql) => {
    expect(await owner(sql)).toMatch(/^23001 /);
  });

  it('cannot post what does not sum to zero', async () => {
    const key = fresh('posting');
    expect(await owner(operation(key), entry(key, account, 5))).toMatch(/^23514 .*do not sum to zero/);
    const uneven = [entry(key, account, 5), entry(key, 'external:EUR', -4)];
    expect(await owner(operation(key), ...uneven)).toMatch(/^23514 .*do not sum to zero/);
    const acrossCurrencies = [entry(key, account, 5), entry(key, 'external:USD', -5, 'USD')];
    expect(await owner(operation(key), ...acrossCurrencies)).toMatch(/^23514 .*do not sum to zero/);
  });

  it("cannot post in another currency than the account's, nor nothing, nor for what is not done", async () => {
    const key = fresh('posting');
    const pair = (amount: string, currency = 'EUR') => [
      entry(key, account, amount, currency),
      entry(key, 'external:EUR', `-${amount}`, currency),
    ];
    expect(await owner(operation(key), ...pair('5', 'USD'))).toMatch(/^23503 /);
    expect(await owner(operation(key), ...pair('0'))).toMatch(/^23514 .*amount/);
    expect(await owner(operation(key, 'refused'), ...pair('5'))).toMatch(/^23503 .*is not done/);
    expect(await owner(...pair('5'))).toMatch(/^23503 .*is not done/);
  });

  it('cannot pass a limit, nor what can be counted exactly', async () => {
    const key = fresh('posting');
    const pair = (amount: number | string) => [entry(key, account, amount), entry(key, 'external:EUR', `-(${amount})`)];
    expect(await owner(operation(key), ...pair(-901))).toMatch(/^23514 .*within_limit/);
    expect(await owner(operation(key), ...pair('9007199254740991'))).toMatch(/^23514 .*minor_units/);
    const open = `INSERT INTO accounts (id, kind, currency, balance, opened_at) VALUES ('rich', 'customer', 'EUR', 5, '${noon}')`;
    expect(await owner(open)).toMatch(/^23514 .*begin with nothing/);
    expect(await owner(`UPDATE accounts SET status = 'closed' WHERE id = '${account}'`)).toMatch(/closed_is_empty/);
  });

  it('cannot take from a frozen account', async () => {
    const frozen = await openedWith(books.ledger, 10);
    await books.ledger.freezeAccount({ key: fresh('freeze'), at: noon, account: frozen });
    const key = fresh('posting');
    const pair = [entry(key, frozen, -5), entry(key, 'external:EUR', 5)];
    expect(await owner(operation(key), ...pair)).toMatch(/^23001 .*is frozen/);
  });

  it('cannot take more out of suspense than rests there, nor leave it half done', async () => {
    const key = fresh('posting');
    const out = (amount: number) => [
      entry(key, 'suspense:EUR', -amount, 'EUR', `'resting'`),
      entry(key, account, amount),
    ];
    const settle = `UPDATE suspense_items SET status = 'deposited' WHERE reference = 'resting'`;
    const wrong = /^23514 What rests under resting is not/;
    expect(await owner(operation(key), ...out(101), settle)).toMatch(wrong);
    expect(await owner(operation(key), ...out(100))).toMatch(wrong);
    expect(await owner(settle)).toMatch(wrong);
    const unnamed = [entry(key, 'suspense:EUR', -5), entry(key, account, 5)];
    expect(await owner(operation(key), ...unnamed)).toMatch(/^23514 .*suspense_has_a_reference/);
    const item = `INSERT INTO suspense_items (reference, status, account_id, currency, amount, at)
      VALUES ('conjured', 'resting', '${account}', 'EUR', 5, '${noon}')`;
    expect(await owner(item)).toMatch(/^23514 What rests under conjured is not/);
  });

  it('cannot settle the same with two charges, nor with anything but one that is done', async () => {
    const row = (key: string, kind: string, status: string) =>
      owner(`INSERT INTO operations (key, kind, status, request, outcome, settles, at)
        VALUES ('${key}', '${kind}', '${status}', '{}', '{}', 'a period', '${noon}')`);
    const payee = await openedWith(books.ledger, 0);
    const charge = { at: noon, from: account, to: payee, amount: 1, currency: 'EUR', settles: 'a period' };
    await books.ledger.charge({ ...charge, key: 'settling' });
    expect(await row('settling again', 'charge', 'done')).toMatch(/^23505 .*one_charge_settles/);
    expect(await row('settling again', 'charge', 'refused')).toMatch(/^23514 .*only_charges_settle/);
    expect(await row('settling again', 'pay-in', 'done')).toMatch(/^23514 .*only_charges_settle/);
  });

  it('cannot give a charge back twice', async () => {
    const payee = await openedWith(books.ledger, 0);
    await books.ledger.charge({ key: 'charge', at: noon, from: account, to: payee, amount: 1, currency: 'EUR' });
    await books.ledger.refundCharge({ key: 'charge:refund', at: noon, charge: 'charge' });
    const second = `INSERT INTO operations (key, kind, status, request, outcome, refunds, at)
      VALUES ('again', 'charge-refund', 'done', '{}', '{}', 'charge', '${noon}')`;
    expect(await owner(second)).toMatch(/^23505 .*one_refund_per_charge/);
  });
});
