import { expectSame, type Scenario } from '@repo/dev-stack';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import type { Demo } from '../demo.ts';
import { cancel } from '../subscriptions.ts';
import {
  aCustomer,
  aSubscription,
  beforeOurEyes,
  clerk,
  expectKept,
  monthly,
  payIn,
  untilItIs,
} from './before-our-eyes.ts';

/** An account without enough on it: the ledger says no, and the next try is another one. */
export const declinedCardScenario: Scenario<Demo> = {
  name: 'declined-card',
  title: 'Two customers have no money: one of them pays in, the other one does not',
  promises: 'one is past due and then paid, once, as if nothing had been; the other one’s subscription ends unpaid.',
  async run(demo, session) {
    const alice = await aCustomer(session, demo, 0);
    // Five seconds to the next try; the one after it is a month away.
    const request = aSubscription(session, alice, { ...monthly, dunning: [{ seconds: 5 }, { months: 1 }] });
    const { subscriptionId: id } = request;
    const paid = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
      await subscribed;
      const { nextCharge } = await untilItIs(demo, id, 'the first no', ({ status }) => status === 'past-due');
      await announce(`past due; try ${nextCharge?.attempt} is at ${nextCharge?.at}`);
      await payIn(demo, alice.id, 10_000);
      await announce(`100.00 EUR have reached ${alice.id}`);
      const { periodsPaid } = await untilItIs(demo, id, 'the charge', ({ status }) => status === 'active');
      expectSame('periods that are paid', 1, periodsPaid);
      return cancel(demo.client, id, { requestedAt: new Date().toISOString(), by: clerk });
    });
    await expectKept(demo, alice, paid, {
      status: 'cancelled',
      entries: [-999],
      mails: ['welcome', 'payment-declined', 'subscription-cancelled'],
    });

    session.print('');
    const other = await aCustomer(session, demo, 0);
    const another = aSubscription(session, other, { ...monthly, dunning: [{ seconds: 2 }] });
    const unpaid = await beforeOurEyes(session, demo, another, async (_, subscribed) => {
      await subscribed;
      const { subscriptionId } = another;
      return untilItIs(demo, subscriptionId, 'the end', ({ status }) => status === 'unpaid');
    });
    expectSame('why', ledgerFailureTypes.insufficientFunds, unpaid.reason?.type);
    await expectKept(demo, other, unpaid, {
      status: 'unpaid',
      entries: [],
      mails: ['welcome', 'payment-declined', 'subscription-unpaid'],
    });
  },
};
