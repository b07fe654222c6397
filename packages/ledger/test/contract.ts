import { describe, expect, it } from 'vitest';
import { ledgerFailureTypes as failure } from '../src/failure-types.ts';
import type { LedgerActivities } from '../src/index.ts';
import { type Books, balanceOf, expectSound, fresh, later, noon, openedWith, refusalOf, stored } from './harness.ts';

/**
 * What a ledger promises whoever calls it, in whatever way: by the library itself or by its activities. Each promise is
 * looked up in the books.
 */
export function describeLedger(name: string, books: () => Books, calls: () => LedgerActivities): void {
  const open = (balance: number, more?: Parameters<typeof openedWith>[2]) => openedWith(books().ledger, balance, more);
  const balances = (...accounts: string[]) => Promise.all(accounts.map((one) => balanceOf(books().ledger, one)));
  const transfer = (account: string, amount: number, currency = 'EUR') => {
    const reference = fresh('transfer');
    const withdrawal = { key: `${reference}:withdraw`, at: noon, reference, account, amount, currency };
    return { reference, withdrawal, refund: { key: `${reference}:refund`, at: noon, reference } };
  };

  describe(`${name}: a transfer`, () => {
    it('rests in suspense between withdrawal and deposit', async () => {
      const [from, to] = [await open(1000), await open(0)];
      const { reference, withdrawal } = transfer(from, 400);
      const { key, at, amount, currency } = withdrawal;
      expect(await calls().withdraw(withdrawal)).toMatchObject({ key, at, from, to: 'suspense:EUR', amount, currency });
      expect(await balances(from, to)).toEqual([600, 0]);
      const deposit = { key: `${reference}:deposit`, at: later(5), reference, account: to };
      expect(await calls().deposit(deposit)).toMatchObject({ at: later(5), from: 'suspense:EUR', to, amount });
      expect(await balances(from, to)).toEqual([600, 400]);
      expect((await stored(books(), deposit.key)).entries).toEqual([
        ['suspense:EUR', -400],
        [to, 400],
      ]);
      await expectSound(books());
    });

    it('goes back where it came from', async () => {
      const from = await open(1000);
      const { withdrawal, refund } = transfer(from, 400);
      await calls().withdraw(withdrawal);
      expect(await calls().refund(refund)).toMatchObject({ refunded: true, posting: { to: from, amount: 400 } });
      expect(await balances(from)).toEqual([1000]);
    });

    it('rests where it is while the account that it came from is frozen', async () => {
      const from = await open(1000);
      const { reference, withdrawal, refund } = transfer(from, 400);
      await calls().withdraw(withdrawal);
      await calls().freezeAccount({ key: fresh('freeze'), at: noon, account: from });
      expect(await refusalOf(calls().refund(refund))).toBe(failure.accountFrozen);
      expect(await books().ledger.transfer({ reference })).toMatchObject({ status: 'resting', amount: 400 });
      await calls().unfreezeAccount({ key: fresh('unfreeze'), at: noon, account: from });
      expect(await refusalOf(calls().refund(refund))).toBe(failure.accountFrozen);
      expect(await calls().refund({ ...refund, key: fresh('next try') })).toMatchObject({ refunded: true });
      expect(await balances(from)).toEqual([1000]);
      await expectSound(books());
    });

    it('is cancelled by a refund that arrives before it, under whatever key it comes', async () => {
      const from = await open(1000);
      const { reference, withdrawal, refund } = transfer(from, 400);
      expect(await calls().refund(refund)).toMatchObject({ refunded: false });
      expect(await refusalOf(calls().withdraw(withdrawal))).toBe(failure.cancelled);
      expect(await refusalOf(calls().withdraw({ ...withdrawal, key: fresh('other') }))).toBe(failure.cancelled);
      expect(await calls().refund({ ...refund, key: fresh('other') })).toMatchObject({ refunded: false });
      const deposit = { key: fresh('deposit'), at: noon, reference, account: from };
      expect(await refusalOf(calls().deposit(deposit))).toBe(failure.nothingInSuspense);
      expect(await balances(from)).toEqual([1000]);
    });

    it('is deposited or refunded, once, whatever the keys', async () => {
      const [from, to] = [await open(1000), await open(0)];
      for (const first of ['deposit', 'refund'] as const) {
        const { reference, withdrawal, refund } = transfer(from, 100);
        await calls().withdraw(withdrawal);
        const deposit = { key: `${reference}:deposit`, at: noon, reference, account: to };
        await (first === 'deposit' ? calls().deposit(deposit) : calls().refund(refund));
        const more = [
          calls().deposit({ ...deposit, key: fresh('again') }),
          calls().refund({ ...refund, key: fresh('again') }),
        ];
        expect(await Promise.all(more.map(refusalOf))).toEqual([failure.nothingInSuspense, failure.nothingInSuspense]);
        expect(await refusalOf(calls().withdraw({ ...withdrawal, key: fresh('again') }))).toBe(failure.referenceTaken);
      }
      expect(await balances(from, to)).toEqual([900, 100]);
      await expectSound(books());
    });

    it('that was never withdrawn has nothing to deposit', async () => {
      const deposit = { key: fresh('deposit'), at: noon, reference: fresh('never'), account: await open(0) };
      expect(await refusalOf(calls().deposit(deposit))).toBe(failure.nothingInSuspense);
      expect(await stored(books(), deposit.key)).toEqual({ statuses: ['refused'], entries: [] });
    });
  });

  describe(`${name}: a charge`, () => {
    it('is one posting, and given back whole and once', async () => {
      const [from, to] = [await open(1000), await open(0)];
      const charge = { key: fresh('charge'), at: noon, from, to, amount: 300, currency: 'EUR' };
      expect(await calls().charge(charge)).toMatchObject(charge);
      expect(await balances(from, to)).toEqual([700, 300]);
      const refund = { key: fresh('refund'), at: later(1), charge: charge.key };
      expect(await calls().refundCharge(refund)).toMatchObject({ refunded: true, posting: { from: to, to: from } });
      const again = calls().refundCharge({ ...refund, key: fresh('refund') });
      expect(await refusalOf(again)).toBe(failure.alreadyRefunded);
      expect(await balances(from, to)).toEqual([1000, 0]);
    });

    it('is cancelled by a refund that arrives before it', async () => {
      const [from, to] = [await open(1000), await open(0)];
      const charge = { key: fresh('charge'), at: noon, from, to, amount: 300, currency: 'EUR' };
      const refund = { key: fresh('refund'), at: noon, charge: charge.key };
      expect(await calls().refundCharge(refund)).toMatchObject({ refunded: false });
      expect(await refusalOf(calls().charge(charge))).toBe(failure.cancelled);
      expect(await calls().refundCharge({ ...refund, key: fresh('refund') })).toMatchObject({ refunded: false });
      expect(await balances(from, to)).toEqual([1000, 0]);
    });

    it('that was refused has nothing to give back; a key of something else is no charge', async () => {
      const [from, to] = [await open(1), await open(0)];
      const charge = { key: fresh('charge'), at: noon, from, to, amount: 300, currency: 'EUR' };
      expect(await refusalOf(calls().charge(charge))).toBe(failure.insufficientFunds);
      const refund = (key: string) => calls().refundCharge({ key: fresh('refund'), at: noon, charge: key });
      expect(await refund(charge.key)).toMatchObject({ refunded: false });
      expect(await refusalOf(refund(`${from}:pay-in`))).toBe(failure.notACharge);
      expect(await balances(from, to)).toEqual([1, 0]);
    });

    it('settles something once, whatever the keys, also after it was given back', async () => {
      const [from, to] = [await open(100), await open(0)];
      const settles = fresh('period');
      const tryOf = (amount: number) => ({ key: fresh('try'), at: noon, from, to, amount, currency: 'EUR', settles });
      const [declined, first, second] = [tryOf(300), tryOf(40), tryOf(50)];
      expect(await refusalOf(calls().charge(declined))).toBe(failure.insufficientFunds);
      expect(await books().ledger.settlement({ settles })).toBeUndefined();
      await calls().charge(first);
      const posting = { key: first.key, from, to, amount: 40, currency: 'EUR', at: noon };
      expect(await books().ledger.settlement({ settles })).toEqual({ posting, refunded: false });
      const refused = await calls()
        .charge(second)
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ type: failure.alreadySettled });
      const { details } = refused as { details: unknown };
      expect([details].flat()).toEqual([{ settles, key: first.key }]);
      expect(await calls().charge(first)).toMatchObject(posting);
      await calls().refundCharge({ key: fresh('refund'), at: later(1), charge: first.key });
      expect(await refusalOf(calls().charge(tryOf(40)))).toBe(failure.alreadySettled);
      expect(await refusalOf(calls().charge(second))).toBe(failure.alreadySettled);
      expect(await books().ledger.settlement({ settles })).toEqual({ posting, refunded: true });
      expect(await balances(from, to)).toEqual([100, 0]);
      await expectSound(books());
    });

    it('under the same key is another one if it settles something else', async () => {
      const [from, to] = [await open(100), await open(0)];
      const charge = { key: fresh('charge'), at: noon, from, to, amount: 30, currency: 'EUR' };
      await calls().charge(charge);
      expect(await refusalOf(calls().charge({ ...charge, settles: fresh('period') }))).toBe(failure.mismatch);
      expect(await balances(from, to)).toEqual([70, 30]);
    });

    it('is not given back to a payer who is frozen', async () => {
      const [from, to] = [await open(300), await open(0)];
      const charge = { key: fresh('charge'), at: noon, from, to, amount: 300, currency: 'EUR' };
      await calls().charge(charge);
      await calls().freezeAccount({ key: fresh('freeze'), at: noon, account: from });
      const refund = () => calls().refundCharge({ key: fresh('refund'), at: noon, charge: charge.key });
      expect(await refusalOf(refund())).toBe(failure.accountFrozen);
      expect(await balances(from, to)).toEqual([0, 300]);
      await calls().unfreezeAccount({ key: fresh('unfreeze'), at: noon, account: from });
      expect(await refund()).toMatchObject({ refunded: true });
      expect(await balances(from, to)).toEqual([300, 0]);
    });

    it('is not given back by a payee who has spent the money', async () => {
      const [from, to, third] = [await open(300), await open(0), await open(0)];
      const charge = { key: fresh('charge'), at: noon, from, to, amount: 300, currency: 'EUR' };
      await calls().charge(charge);
      await calls().charge({ ...charge, key: fresh('charge'), from: to, to: third });
      const refund = calls().refundCharge({ key: fresh('refund'), at: noon, charge: charge.key });
      expect(await refusalOf(refund)).toBe(failure.insufficientFunds);
      expect(await balances(from, to, third)).toEqual([0, 0, 300]);
    });
  });

  describe(`${name}: a key`, () => {
    it('has its effect once and answers the same, also at another time', async () => {
      const from = await open(1000);
      const { withdrawal } = transfer(from, 400);
      const first = await calls().withdraw(withdrawal);
      const second = await calls().withdraw({ ...withdrawal, at: later(60_000) });
      expect({ ...second, replayed: false }).toEqual({ ...first, replayed: false });
      expect(await balances(from)).toEqual([600]);
    });

    it('keeps its refusal, also when there would be money by now', async () => {
      const from = await open(100);
      const { withdrawal } = transfer(from, 400);
      expect(await refusalOf(calls().withdraw(withdrawal))).toBe(failure.insufficientFunds);
      await calls().payIn({ key: fresh('pay-in'), at: noon, account: from, amount: 900, currency: 'EUR' });
      expect(await refusalOf(calls().withdraw(withdrawal))).toBe(failure.insufficientFunds);
      expect(await stored(books(), withdrawal.key)).toEqual({ statuses: ['refused'], entries: [] });
      await calls().withdraw({ ...withdrawal, key: fresh('next try') });
      expect(await balances(from)).toEqual([600]);
    });

    it('belongs to one request', async () => {
      const [from, other] = [await open(1000), await open(1000)];
      const { withdrawal } = transfer(from, 400);
      await calls().withdraw(withdrawal);
      const others = [
        calls().withdraw({ ...withdrawal, amount: 401 }),
        calls().withdraw({ ...withdrawal, currency: 'USD' }),
        calls().withdraw({ ...withdrawal, account: other }),
        calls().withdraw({ ...withdrawal, reference: fresh('other') }),
        calls().withdraw({ ...withdrawal, target: other }),
        calls().withdraw({ ...withdrawal, details: {} }),
        calls().refund({ key: withdrawal.key, at: noon, reference: withdrawal.reference }),
        calls().charge({ ...withdrawal, from, to: other }),
      ];
      expect(new Set(await Promise.all(others.map(refusalOf)))).toEqual(new Set([failure.mismatch]));
      expect(await balances(from, other)).toEqual([600, 1000]);
    });
  });

  describe(`${name}: an account`, () => {
    it('is opened once', async () => {
      const account = fresh('account');
      const opening = { key: fresh('open'), at: noon, account, currency: 'JPY', overdraft: 50 };
      expect(await calls().openAccount(opening)).toMatchObject(opening);
      const again = calls().openAccount({ ...opening, key: fresh('open') });
      expect(await refusalOf(again)).toBe(failure.accountExists);
      expect(await books().ledger.account({ account })).toEqual({
        account,
        kind: 'customer',
        currency: 'JPY',
        status: 'open',
        overdraft: 50,
        balance: 0,
        openedAt: noon,
      });
    });

    it('goes as far below zero as its overdraft, and no further', async () => {
      const account = await open(100, { overdraft: 50 });
      await calls().withdraw(transfer(account, 150).withdrawal);
      expect(await refusalOf(calls().withdraw(transfer(account, 1).withdrawal))).toBe(failure.insufficientFunds);
      expect(await balances(account)).toEqual([-50]);
    });

    it('neither gives nor takes while it is frozen', async () => {
      const [account, other] = [await open(100), await open(100)];
      const resting = transfer(other, 50);
      await calls().withdraw(resting.withdrawal);
      await calls().freezeAccount({ key: fresh('freeze'), at: noon, account });
      const charge = () => ({ key: fresh('charge'), at: noon, amount: 1, currency: 'EUR' });
      const refused = [
        calls().withdraw(transfer(account, 1).withdrawal),
        calls().deposit({ key: fresh('deposit'), at: noon, reference: resting.reference, account }),
        calls().payIn({ ...charge(), account }),
        calls().charge({ ...charge(), from: account, to: other }),
        calls().charge({ ...charge(), from: other, to: account }),
      ];
      expect(new Set(await Promise.all(refused.map(refusalOf)))).toEqual(new Set([failure.accountFrozen]));
      expect(await balances(account, other)).toEqual([100, 50]);
      await calls().unfreezeAccount({ key: fresh('unfreeze'), at: noon, account });
      await calls().charge({ ...charge(), from: account, to: other });
      expect(await balances(account, other)).toEqual([99, 51]);
    });

    it('is closed only if it holds and expects nothing, and then for good', async () => {
      const account = await open(100);
      const close = () => calls().closeAccount({ key: fresh('close'), at: noon, account });
      expect(await refusalOf(close())).toBe(failure.accountNotEmpty);
      const { reference, withdrawal } = transfer(account, 100);
      await calls().withdraw(withdrawal);
      expect(await refusalOf(close())).toBe(failure.accountNotEmpty);
      await calls().deposit({ key: fresh('deposit'), at: noon, reference, account: await open(0) });
      expect(await close()).toMatchObject({ account, status: 'closed' });
      const reopening = calls().unfreezeAccount({ key: fresh('open'), at: noon, account });
      expect(await refusalOf(reopening)).toBe(failure.accountClosed);
      const payIn = calls().payIn({ key: fresh('pay-in'), at: noon, account, amount: 1, currency: 'EUR' });
      expect(await refusalOf(payIn)).toBe(failure.accountClosed);
    });

    it('must be there, have the currency, and have room', async () => {
      const account = await open(Number.MAX_SAFE_INTEGER);
      const payIn = (more: object) =>
        refusalOf(calls().payIn({ key: fresh('pay-in'), at: noon, account, amount: 1, currency: 'EUR', ...more }));
      expect(await payIn({ account: fresh('nobody') })).toBe(failure.unknownAccount);
      expect(await payIn({ currency: 'USD' })).toBe(failure.currencyMismatch);
      expect(await payIn({})).toBe(failure.balanceTooLarge);
      const { reference, withdrawal } = transfer(account, 5);
      await calls().withdraw(withdrawal);
      const inDollars = await open(0, { currency: 'USD' });
      const deposit = calls().deposit({ key: fresh('deposit'), at: noon, reference, account: inDollars });
      expect(await refusalOf(deposit)).toBe(failure.currencyMismatch);
      expect(await balances(account, inDollars)).toEqual([Number.MAX_SAFE_INTEGER - 5, 0]);
      await expectSound(books());
    });
  });
}
