import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Posting, Refund } from '../src/index.ts';
import { type Books, balanceOf, createBooks, expectSound, fresh, noon, openedWith } from './harness.ts';

let books: Books;
beforeAll(async () => {
  books = await createBooks('ledger_properties');
});
afterAll(() => books.close());

const accountCount = 3;
const transferCount = 4;
const start = 100;
const overdraft = 20;

const account = fc.nat({ max: accountCount - 1 });
const transfer = fc.nat({ max: transferCount - 1 });
const amount = fc.integer({ min: 1, max: 150 });
/** Two tries of everything, so that keys and references meet: with the same request, with another one, in any order. */
const attempt = fc.nat({ max: 1 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('withdraw' as const), transfer, attempt, account, amount }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deposit' as const), transfer, attempt, account }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refund' as const), transfer, attempt }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('charge' as const), transfer, from: account, to: account, amount }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refundCharge' as const), transfer, attempt }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('freezeAccount' as const), account, attempt }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unfreezeAccount' as const), account, attempt }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** One run: accounts and references of its own, and each posting that was answered, by its key. */
class Run {
  readonly name = fresh('run');
  readonly postings = new Map<string, Posting>();
  readonly accounts: string[];
  constructor(accounts: string[]) {
    this.accounts = accounts;
  }
  reference = (index: number) => `${this.name}:${index}`;

  async take(step: Step): Promise<void> {
    try {
      const answer = await this.ask(step);
      const posting = 'refunded' in answer ? (answer.refunded ? answer.posting : undefined) : answer;
      if (posting && 'amount' in posting) this.postings.set(posting.key, posting);
    } catch (error) {
      // Refusals are answers; anything else, such as a deadlock that was not met, is not.
      if ((error as Error).name !== 'LedgerError' || (error as { type: string }).type === 'InvalidLedgerRequest') {
        throw error;
      }
    }
  }

  private ask(step: Step): Promise<Posting | Refund | { status: string }> {
    const { ledger } = books;
    const at = noon;
    const id = (index: number) => this.accounts[index] ?? '';
    if (step.do === 'freezeAccount' || step.do === 'unfreezeAccount') {
      const key = `${this.name}:${step.do}:${step.account}:${step.attempt}`;
      return ledger[step.do]({ key, at, account: id(step.account) });
    }
    const reference = this.reference(step.transfer);
    if (step.do === 'charge') {
      const to = step.from === step.to ? (step.to + 1) % accountCount : step.to;
      const money = { amount: step.amount, currency: 'EUR' };
      return ledger.charge({ key: `${reference}:charge`, at, from: id(step.from), to: id(to), ...money });
    }
    const key = `${reference}:${step.do}:${step.attempt}`;
    if (step.do === 'refund') return ledger.refund({ key, at, reference });
    if (step.do === 'refundCharge') return ledger.refundCharge({ key, at, charge: `${reference}:charge` });
    if (step.do === 'deposit') return ledger.deposit({ key, at, reference, account: id(step.account) });
    return ledger.withdraw({ key, at, reference, account: id(step.account), amount: step.amount, currency: 'EUR' });
  }
}

/** What a bystander sees of the run's money between any two commits. */
async function look(run: Run) {
  const select = `SELECT
      (SELECT sum(balance) FROM accounts WHERE id = ANY ($1)) + coalesce((SELECT sum(amount) FROM suspense_items
        WHERE status = 'resting' AND starts_with(reference, $2)), 0) AS total,
      (SELECT min(balance) FROM accounts WHERE id = ANY ($1)) AS least,
      (SELECT coalesce(sum(amount), 0) FROM entries) AS entries`;
  const { rows } = await books.owner.query(select, [run.accounts, `${run.name}:`]);
  return { total: Number(rows[0].total), least: Number(rows[0].least), entries: Number(rows[0].entries) };
}

it('the total is constant at every commit, whatever is asked for at once and in whatever order', async () => {
  let samples = 0;
  const interleaving = fc.array(step, { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(interleaving, async (steps) => {
      const opened = Array.from({ length: accountCount }, () => openedWith(books.ledger, start, { overdraft }));
      const run = new Run(await Promise.all(opened));

      let running = true;
      const sampling = (async () => {
        do {
          const { total, least, entries } = await look(run);
          expect({ total, entries }).toEqual({ total: accountCount * start, entries: 0 });
          expect(least).toBeGreaterThanOrEqual(-overdraft);
          samples++;
        } while (running);
      })();
      const all = Promise.all(steps.map((each) => run.take(each))).finally(() => {
        running = false;
      });
      await Promise.all([sampling, all]);

      const postings = [...run.postings.values()];
      for (const id of run.accounts) {
        const moved = postings.reduce(
          (sum, { from, to, amount }) => sum + amount * (Number(to === id) - Number(from === id)),
          0,
        );
        expect(await balanceOf(books.ledger, id)).toBe(start + moved);
      }
      const resting = (await books.ledger.suspense({ limit: 1000 })).map(({ reference }) => reference);
      for (let index = 0; index < transferCount; index++) {
        const reference = run.reference(index);
        const count = (kind: string) => postings.filter(({ key }) => key.startsWith(`${reference}:${kind}:`)).length;
        expect(count('withdraw')).toBeLessThanOrEqual(1);
        const settled = count('deposit') + count('refund');
        expect(settled).toBeLessThanOrEqual(count('withdraw'));
        expect(resting.includes(reference)).toBe(count('withdraw') - settled === 1);
      }
      await expectSound(books);
    }),
    { numRuns: 25 },
  );
  expect(samples).toBeGreaterThan(50);
});
