import { expectSame, type Scenario } from '@repo/dev-stack';
import { failureTypes } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { cancel, changePeriod, changePrice, subscribeOrFind } from '../subscriptions.ts';
import {
  aCustomer,
  aSubscription,
  beforeOurEyes,
  clerk,
  everySeconds,
  expectKept,
  refusedWith,
  untilItIs,
} from './before-our-eyes.ts';

const by = clerk;
const now = () => new Date().toISOString();

/** What a subscription is there for. */
export const subscribingScenarios: Scenario<Demo>[] = [
  {
    name: 'subscribe',
    title: 'Alice subscribes: a trial of 2 seconds, then 9.99 EUR every 4 seconds, until she cancels',
    promises:
      'each period is charged once, at the price that it has; the ledger, the inbox and the customer’s page say the same.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, { ...everySeconds(4), trial: { seconds: 2 } });
      const { subscriptionId: id } = request;
      let from = 0;
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        await subscribed;
        await untilItIs(demo, id, 'the first charge', ({ periodsPaid }) => periodsPaid >= 1);
        ({ from } = await changePrice(demo.client, id, { price: 1_299, by }));
        await announce(`change-price ${id} --price 12.99: accepted, from period ${from} on`);
        await untilItIs(demo, id, `the charge of period ${from}`, ({ periodsPaid }) => periodsPaid >= from);
        await announce(`cancel ${id}`);
        return cancel(demo.client, id, { requestedAt: now(), by });
      });
      const periods = Array.from({ length: state.periodsPaid }, (_, index) => index + 1);
      await expectKept(demo, alice, state, {
        status: 'cancelled',
        entries: periods.map((period) => (period < from ? -999 : -1_299)),
        mails: ['welcome', 'subscription-cancelled'],
      });
      expectSame('the same, subscribed to again', state, await subscribeOrFind(demo.client, request, clerk));
    },
  },
  {
    name: 'runs-to-the-end',
    title: 'Alice subscribes for three periods of 2 seconds, which is all there is',
    promises: 'three charges, one for each period; then it ends by itself, with its own e-mail.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, { ...everySeconds(2), maxPeriods: 3 });
      const { subscriptionId: id } = request;
      const state = await beforeOurEyes(session, demo, request, async (_, subscribed) => {
        await subscribed;
        return untilItIs(demo, id, 'the end', ({ status }) => status === 'ended');
      });
      await expectKept(demo, alice, state, {
        status: 'ended',
        entries: [-999, -999, -999],
        mails: ['welcome', 'subscription-ended'],
      });
      const late = await refusedWith(changePrice(demo.client, id, { price: 1, by }));
      expectSame('what a change after the end is refused with', failureTypes.over, late.type);
    },
  },
  {
    name: 'change-price',
    title: 'Price and period change in the middle of it',
    promises: 'what has begun keeps its price and its length; the next period has the new ones, and is charged once.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, { ...everySeconds(6), maxPeriods: 3 });
      const { subscriptionId: id } = request;
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        await subscribed;
        await untilItIs(demo, id, 'the first charge', ({ periodsPaid }) => periodsPaid >= 1);
        const change = { price: 1_499, from: 3, changeId: 'raise', by };
        expectSame('the change', 3, (await changePrice(demo.client, id, change)).from);
        await announce(`change-price ${id} --price 14.99 --from 3: accepted`);
        await changePrice(demo.client, id, change);
        const other = await refusedWith(changePrice(demo.client, id, { ...change, price: 1_999 }));
        expectSame('what another price of this name is refused with', failureTypes.changeMismatch, other.type);
        await announce(`the same again: once is enough; with 19.99: refused, ${other.message}`);
        const past = await refusedWith(changePrice(demo.client, id, { price: 1, from: 1, by }));
        expectSame('what a change of the past is refused with', failureTypes.noSuchPeriod, past.type);
        await announce(`--from 1: refused, ${past.message}`);
        await changePeriod(demo.client, id, { period: { seconds: 2 }, from: 3, by });
        await announce(`change-period ${id} --period 2-seconds --from 3: accepted`);
        return untilItIs(demo, id, 'the end', ({ status }) => status === 'ended');
      });
      await expectKept(demo, alice, state, {
        status: 'ended',
        entries: [-999, -999, -1_499],
        mails: ['welcome', 'subscription-ended'],
      });
      const { startsAt = '', endsAt = '' } = state.period ?? {};
      expectSame('length of the last period, in ms', 2_000, Date.parse(endsAt) - Date.parse(startsAt));
    },
  },
];
