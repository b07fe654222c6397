import { describe, expect, it } from 'vitest';
import { cancelSignal, cancelUpdate, type SubscriptionState } from '../src/contract.ts';
import { timeSkipping } from './time-skipping.ts';
import { monthly } from './world.ts';

const at = await timeSkipping('subscription-outages');
const { world, handleOf } = at;

const twoMonths = { ...monthly, maxPeriods: 2 };

describe('SUB-8 never two charges for a period', () => {
  it('also if the answers are lost after COMMIT, again and again', async () => {
    const request = await world.aSubscription({ plan: twoMonths });
    world.faults.on({ point: 'after-commit', of: 'charge', calls: 3 });
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', totals: { net: 2000 } });
    expect(world.faults.met).toHaveLength(3);
    expect(await world.asked(request.subscriptionId)).toEqual(['period:1:attempt:1 done', 'period:2:attempt:1 done']);
  });

  it('also if the ledger is gone for a while: it is no declined card', async () => {
    const request = await world.aSubscription({ plan: twoMonths });
    await at.start(request);
    // A mail that is still to be sent would be tried every minute of the month to come.
    const isQuiet = ({ periodsPaid, mails }: SubscriptionState) => periodsPaid === 1 && mails.pending.length === 0;
    const { nextCharge } = await at.until(request, isQuiet);
    await world.postgres.down();
    await at.sleepPast(nextCharge?.at);
    await at.env.sleep('2 minutes');
    expect(await at.stateOf(request)).toMatchObject({
      status: 'active',
      period: { number: 2, isPaid: false, declined: 0 },
    });
    await world.postgres.up();
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', totals: { net: 2000 } });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-ended']);
  });
});

describe('mail', () => {
  it('that does not get out holds up neither billing nor a cancellation, and is sent in the end', async () => {
    await world.smtp.down();
    const request = await world.aSubscription({ plan: { ...monthly, period: { seconds: 60 } } });
    await at.start(request);
    const { nextCharge } = await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await at.sleepPast(nextCharge?.at);
    const { mails } = await at.until(request, ({ periodsPaid }) => periodsPaid === 2);
    expect(mails.pending).toEqual(['welcome']);
    const outcome = await handleOf(request).executeUpdate(cancelUpdate, { args: [{}] });
    expect(outcome).toMatchObject({ status: 'cancelled', mails: { pending: ['welcome', 'subscription-cancelled'] } });
    expect((await handleOf(request).describe()).status.name).toBe('RUNNING');
    await world.smtp.up();
    await at.endOf(request);
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-cancelled']);
  });

  it('that is refused for good is shown, and billing goes on', async () => {
    const request = await world.aSubscription({ plan: twoMonths });
    world.inbox.setFault({ kind: 'refuse', to: `${request.customer}@example.com` });
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({
      status: 'ended',
      totals: { net: 2000 },
      mails: {
        pending: [],
        undelivered: [
          { mail: 'welcome', type: 'MailRefused' },
          { mail: 'subscription-ended', type: 'MailRefused' },
        ],
      },
    });
    expect(await world.kindsTo(request.customer)).toEqual([]);
  });

  it('whose 250 is lost is delivered a second time, under the same Message-ID, and nothing else is', async () => {
    const request = await world.aSubscription();
    world.inbox.setFault({ kind: 'lose-answer', times: 1 });
    const handle = await at.start(request);
    await at.until(request, ({ mails }) => mails.pending.length === 0);
    await handle.signal(cancelSignal, {});
    await handle.result();
    const mails = await world.mailsTo(request.customer);
    expect(mails.map(({ subject, delivery }) => [subject, delivery])).toEqual([
      ['Welcome', 1],
      ['Welcome', 2],
      ['Your subscription has been cancelled', 1],
    ]);
    expect(mails[0]?.messageId).toBe(mails[1]?.messageId);
  });
});
