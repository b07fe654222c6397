import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerFailureTypes as failure } from '../src/failure-types.ts';
import { type Books, balanceOf, createBooks, expectSound, fresh, noon, openedWith, refusalOf } from './harness.ts';

let books: Books;
beforeAll(async () => {
  books = await createBooks('ledger_target');
});
afterAll(() => books.close());

const open = (balance: number, currency = 'EUR') => openedWith(books.ledger, balance, { currency });
const withdrawal = (account: string) => {
  const reference = fresh('transfer');
  return { key: `${reference}:withdraw`, at: noon, reference, account, amount: 400, currency: 'EUR' };
};

describe('a withdrawal with a target', () => {
  it('is deposited there and nowhere else', async () => {
    const [from, target, other] = [await open(1000), await open(0), await open(0)];
    const request = { ...withdrawal(from), target };
    await books.ledger.withdraw(request);
    const deposit = (account: string) =>
      books.ledger.deposit({ key: fresh('deposit'), at: noon, reference: request.reference, account });
    expect(await refusalOf(deposit(other))).toBe(failure.wrongTarget);
    expect(await balanceOf(books.ledger, other)).toBe(0);
    await deposit(target);
    expect(await balanceOf(books.ledger, target)).toBe(400);
    await expectSound(books);
  });

  it('is refused, and names it, if the target could not take it', async () => {
    const [from, frozen, closed] = [await open(1000), await open(0), await open(0)];
    await books.ledger.freezeAccount({ key: fresh('freeze'), at: noon, account: frozen });
    await books.ledger.closeAccount({ key: fresh('close'), at: noon, account: closed });
    const refused = {
      [failure.unknownAccount]: fresh('nobody'),
      [failure.currencyMismatch]: await open(0, 'USD'),
      [failure.accountFrozen]: frozen,
      [failure.accountClosed]: closed,
    };
    for (const [type, target] of Object.entries(refused)) {
      const request = { ...withdrawal(from), target };
      await expect(books.ledger.withdraw(request)).rejects.toMatchObject({ type, details: { account: target } });
      expect(await books.ledger.transfer({ reference: request.reference })).toBeUndefined();
    }
    expect(await balanceOf(books.ledger, from)).toBe(1000);
  });
});

describe('a withdrawal with details', () => {
  it('is the same with the same ones, in any order, and with others it is not', async () => {
    const request = withdrawal(await open(1000));
    await books.ledger.withdraw({ ...request, details: { by: 'Ada', within: 60, urgent: false, note: null } });
    const again = { note: null, urgent: false, within: 60, by: 'Ada' };
    expect(await books.ledger.withdraw({ ...request, details: again })).toMatchObject({ replayed: true });
    for (const changed of [{ ...again, by: 'Bob' }, { ...again, more: 1 }, {}]) {
      expect(await refusalOf(books.ledger.withdraw({ ...request, details: changed }))).toBe(failure.mismatch);
    }
    expect(await refusalOf(books.ledger.withdraw(request))).toBe(failure.mismatch);
  });
});
