import type * as types from '../contract.ts';
import { failureTypes, inTheWorkflow, isClosed } from '../contract.ts';
import { isBehind, type Life, now, priceOf } from './life.ts';
import { problems, refusal } from './refusal.ts';

/** What the ledger will not give back, as to a closed account, is settled by a person: recorded once, and the end goes on. */

function read(input: unknown): types.Resolve {
  const parsed = inTheWorkflow.resolve.safeParse(input);
  if (parsed.success) return parsed.data;
  throw refusal(failureTypes.invalid, problems(parsed.error));
}

const resolvedOf = ({ resolved = [] }: Life, period: number) => resolved.find((one) => one.period === period);

/** Whether it is still to be found out what a cancellation gives back, and whether the ledger does so. */
export const isUndecided = (life: Life): boolean =>
  isBehind(life) ||
  (life.cancellation !== undefined && !isClosed(life.status) && !life.owed.some(({ type }) => type !== undefined));

/** @throws ApplicationFailure `InvalidSubscription`, `ChangeMismatch` or `NothingToResolve` */
export function refuseResolution(life: Life, input: unknown): void {
  const asked = read(input);
  const found = resolvedOf(life, asked.period);
  if (found) {
    const differing = (['how', 'note', 'by'] as const).filter((field) => found[field] !== asked[field]);
    if (differing.length === 0) return;
    const message = `${differing.join(', ')}: period ${asked.period} was settled by hand with other details`;
    throw refusal(failureTypes.changeMismatch, message);
  }
  if (isUndecided(life) || life.owed.some(({ period }) => period === asked.period)) return;
  throw nothingToResolve(asked.period);
}

const nothingToResolve = (period: number) =>
  refusal(failureTypes.nothingToResolve, `period: nothing of period ${period} waits for a person`);

/**
 * The totals stay as they are: they say what the ledger has.
 * @throws ApplicationFailure `NothingToResolve`
 */
export async function resolve(life: Life, input: unknown): Promise<types.Resolved> {
  const asked = read(input);
  const { period } = asked;
  const before = resolvedOf(life, period);
  if (before) return before;
  if (!life.owed.some((one) => one.period === period)) throw nothingToResolve(period);
  const amount = life.settled?.amount ?? priceOf(life, period);
  const resolved = { ...asked, amount, at: now() };
  life.resolved = [...(life.resolved ?? []), resolved];
  life.owed = life.owed.filter((one) => one.period !== period);
  return resolved;
}
