import { condition, patched } from '@temporalio/workflow';
import type { ClosedStatus, MailKind } from '../contract.ts';
import { giveBack, refundOf } from './billing.ts';
import { isBeforeCancellation } from './cancelling.ts';
import { goTo, type Life, mail, now, type Settled } from './life.ts';

const lastMail: Partial<Record<ClosedStatus, MailKind>> = {
  ended: 'subscription-ended',
  cancelled: 'subscription-cancelled',
  'trial-cancelled': 'trial-cancelled',
  unpaid: 'subscription-unpaid',
};

/**
 * Ends a subscription: its last e-mail is on its way at once, and a charge for what begins after a cancellation is given back
 * before it counts as over. If the ledger refuses that, it stays open until a person has refunded it, or settled it by hand.
 */
export async function close(life: Life, status: ClosedStatus): Promise<void> {
  const { cancellation, period } = life;
  const isCancelled = status === 'cancelled' || status === 'trial-cancelled';
  const endedAt = (isCancelled ? cancellation?.effectiveAt : status === 'ended' ? period?.endsAt : undefined) ?? now();
  const kind = lastMail[status];
  // One key for all kinds: there is one last mail, also if a reset makes it end in another way.
  if (kind) mail(life, kind, 'last', { endedAt, ...(status === 'unpaid' && declinedPeriod(life)) });
  life.endedAt = endedAt;
  if (isCancelled) await giveBackTheLast(life);
  goTo(life, status, `${status} on ${endedAt}`);
}

const declinedPeriod = ({ period }: Life) => (period ? { period: period.number, amount: period.price } : {});

async function giveBackTheLast(life: Life): Promise<void> {
  const { settled, cancellation } = life;
  if (!settled || isKept(life, settled) || refundOf(life, settled.period)) return;
  const { period } = settled;
  life.owed = [{ period }];
  const reason = 'cancelled before it was due';
  const refused = await giveBack(life, period, cancellation?.by ?? 'cancellation', reason);
  if (!refused || refundOf(life, period)) return;
  life.owed = [{ period, ...refused }];
  const words = `The charge for period ${period} is to be given back: ${refused.message}. Refund it, or resolve it`;
  goTo(life, 'needs-attention', words);
  await condition(() => life.owed.length === 0);
}

/** By when it was due, and by when the try was due that succeeded: later than a cancellation, it would not have been made. */
function isKept(life: Life, { due, retryDue }: Settled): boolean {
  if (!isBeforeCancellation(life, due)) return false;
  return retryDue === undefined || isBeforeCancellation(life, retryDue) || !patched('tries-by-time');
}
