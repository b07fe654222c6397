import type * as types from '../contract.ts';
import { failureTypes, inTheWorkflow, isClosed, keys } from '../contract.ts';
import { giveBack, refundOf } from './billing.ts';
import { refuseIfFull, refuseIfOver } from './changes.ts';
import { type Life, now, standing } from './life.ts';
import { problems, refusal } from './refusal.ts';
import { activities, refusalIn } from './services.ts';

/** Money beside the charges: adjustments, and refunds that somebody asks for. Each is booked once. */

function read(input: unknown): types.Adjust {
  const parsed = inTheWorkflow.adjust.safeParse(input);
  if (parsed.success) return parsed.data;
  throw refusal(failureTypes.invalid, problems(parsed.error));
}

const adjustmentOf = (life: Life, reference: string) => life.adjustments.find((one) => one.reference === reference);

/** @throws ApplicationFailure that says why not */
export function refuseAdjustment(life: Life, input: unknown): void {
  const asked = read(input);
  refuseIfOver(life);
  const found = adjustmentOf(life, asked.reference);
  if (!found) {
    refuseIfFull('adjustments', life);
    return;
  }
  const differing = (['amount', 'direction', 'reason', 'by'] as const).filter((field) => found[field] !== asked[field]);
  if (differing.length === 0) return;
  const message = `${differing.join(', ')}: there is an adjustment ${asked.reference} with other details`;
  throw refusal(failureTypes.changeMismatch, message);
}

/** @throws ApplicationFailure with the ledger's no: under this reference, it stays so */
export async function adjust(life: Life, input: unknown): Promise<types.Adjustment> {
  const { reference, amount, direction, reason, by } = read(input);
  const { terms } = standing(life);
  const found = adjustmentOf(life, reference);
  if (found) return found;
  const [from, to] = direction === 'debit' ? [terms.from, terms.to] : [terms.to, terms.from];
  const key = keys.adjustment(life.request.subscriptionId, reference);
  const at = now();
  try {
    const summary = `Adjustment ${reference}: ${direction}`;
    const request = { key, at, from, to, amount, currency: terms.plan.currency };
    await activities.charge.executeWithOptions({ summary }, [request]);
  } catch (error) {
    const { type, message } = refusalIn(error);
    throw refusal(type, message);
  }
  const adjustment = { reference, amount, direction, reason, by, at };
  // Asked for twice at once, it is one.
  const other = adjustmentOf(life, reference);
  if (other) return other;
  life.adjustments.push(adjustment);
  life.totals[direction === 'debit' ? 'debited' : 'credited'] += amount;
  return adjustment;
}

/** @throws ApplicationFailure that says why not */
export function refuseRefund(life: Life, input: unknown): void {
  const parsed = inTheWorkflow.refund.safeParse(input);
  if (!parsed.success) throw refusal(failureTypes.invalid, problems(parsed.error));
  const { period } = parsed.data;
  if (refundOf(life, period) || life.status === 'starting') return;
  if (isClosed(life.status)) {
    throw refusal(failureTypes.over, `subscription ${life.request.subscriptionId} is ${life.status}`);
  }
  refuseIfFull('refunds', life);
  if (period > (life.period?.number ?? 0)) {
    throw refusal(failureTypes.nothingToRefund, `period: ${period} has not begun`);
  }
}

/** @throws ApplicationFailure `NothingToRefund`, or the ledger's no, after which it can be asked for again */
export async function refund(life: Life, input: unknown): Promise<types.Refunded> {
  const { period, reason, by } = inTheWorkflow.refund.parse(input);
  const before = refundOf(life, period);
  if (before) return before;
  if (life.period?.number === period && !life.period.isPaid) {
    throw refusal(failureTypes.nothingToRefund, `period: ${period} has not been paid`);
  }
  const refused = await giveBack(life, period, by, reason);
  if (refused) throw refusal(refused.type, refused.message);
  const made = refundOf(life, period);
  if (!made) throw new Error(`the refund of period ${period} was not kept`);
  return made;
}
