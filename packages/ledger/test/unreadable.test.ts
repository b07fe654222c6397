import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currencies } from '../src/money.ts';
import { type Books, createBooks, expectSound, noon, openedWith } from './harness.ts';

let books: Books;
let account: string;
beforeAll(async () => {
  books = await createBooks('ledger_unreadable');
  account = await openedWith(books.ledger, 1000);
});
afterAll(() => books.close());

/** What a call past the library was refused with; nothing was written. */
async function refused(call: string): Promise<string> {
  const refusal = await books.pool.query(`SELECT ${call}`).then(
    () => 'done',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  );
  const { rows } = await books.pool.query('SELECT count(*)::int AS operations FROM operations');
  expect(rows).toEqual([{ operations: 2 }]);
  await expectSound(books);
  return refusal;
}

describe("the application's own role cannot write", () => {
  it.each([`'infinity'`, `'-infinity'`, `'10000-01-01Z'`, `'0001-01-01Z BC'`, `'2027-03-20T12:00:00.0001Z'`])(
    'a time that JavaScript cannot read: %s',
    async (time) => {
      expect(await refused(`withdraw('x', ${time}, 'x', '${account}', 1, 'EUR')`)).toMatch(/^23514 .*instant/);
      expect(await refused(`open_account('x', ${time}, 'x', 'EUR', 0)`)).toMatch(/^23514 .*instant/);
    },
  );

  it.each([`E'a\\x01'`, `E'a\\n'`, `E'a\\x7f'`, `E'\\u0085'`])('a control character: %s', async (name) => {
    const withdraw = (key: string, reference: string) =>
      refused(`withdraw(${key}, '${noon}', ${reference}, '${account}', 1, 'EUR')`);
    expect(await withdraw(name, `'x'`)).toMatch(/^23514 .*plain_name/);
    expect(await withdraw(`'x'`, name)).toMatch(/^23514 .*plain_name/);
  });

  it('a currency of which nobody knows how it is written', async () => {
    expect(await refused(`open_account('x', '${noon}', 'x', 'ABC', 0)`)).toMatch(/^23514 .*currency/);
    const { rows } = await books.pool.query<{ definition: string }>(
      `SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
       WHERE conname = 'accounts_currency_check' AND connamespace = 'ledger'::regnamespace`,
    );
    const known = [...(rows[0]?.definition.matchAll(/'([A-Z]{3})'/g) ?? [])].map(([, code]) => code);
    expect(new Set(known)).toEqual(new Set(Object.keys(currencies)));
  });
});
