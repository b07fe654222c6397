import { attemptsOf, BrokenPromise, expectSame, type Scenario, until } from '@repo/dev-stack';
import { keys, subscriptionWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { entriesOfSubscription } from '../ledger-entries.ts';
import { cancel, subscriptionState } from '../subscriptions.ts';
import {
  aCustomer,
  aSubscription,
  beforeOurEyes,
  clerk,
  everySeconds,
  expectKept,
  monthly,
  untilItIs,
} from './before-our-eyes.ts';

const by = clerk;
const now = () => new Date().toISOString();

/** Something that the subscription needs is not there for a while. */
export const awayScenarios: Scenario<Demo>[] = [
  {
    name: 'worker-away',
    title: 'No worker is there while three periods go by',
    promises:
      'the next one catches up: each period is charged once, in order, and begins and ends as if nothing had been.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, { ...everySeconds(3), maxPeriods: 5 });
      const { subscriptionId: id } = request;
      let begun = 0;
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        await subscribed;
        const { period, periodsPaid } = await untilItIs(demo, id, 'a charge', ({ period }) => period?.isPaid === true);
        await demo.stopWorkers();
        begun = Date.parse(period?.startsAt ?? '') - (periodsPaid - 1) * 3_000;
        const missed = begun + (periodsPaid + 2) * 3_000;
        await announce(`period ${periodsPaid} is paid; no worker is there until period ${periodsPaid + 3} has begun`);
        await until('three more periods', async () => Date.now() > missed || undefined);
        expectSame('charges meanwhile', periodsPaid, (await entriesOfSubscription(demo.ledger, alice.id, id)).length);
        const worker = await demo.startWorker();
        await announce(`${worker.name} (process ${worker.pid}) is there`);
        return untilItIs(demo, id, 'the end', ({ status }) => status === 'ended');
      });
      const entries = await entriesOfSubscription(demo.ledger, alice.id, id);
      const inOrder = [1, 2, 3, 4, 5].map((period) => keys.charge(id, period, 1));
      expectSame(
        'charges in order',
        inOrder,
        entries.map(({ key }) => key),
      );
      expectSame('the end of the last period', begun + 5 * 3_000, Date.parse(state.period?.endsAt ?? ''));
      await expectKept(demo, alice, state, {
        status: 'ended',
        entries: [-999, -999, -999, -999, -999],
        mails: ['welcome', 'subscription-ended'],
      });
    },
  },
  {
    name: 'worker-crash',
    title: 'The worker is killed after the charge, before Temporal knows of it',
    promises: 'the charge is asked for again under the same key by another worker, and alice has paid once.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, monthly);
      const { subscriptionId: id } = request;
      const worker = await demo.startFaultyWorker();
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        await subscribed;
        await until('the charge', async () => worker.said[0]);
        expectSame('charges in the ledger', 1, (await entriesOfSubscription(demo.ledger, alice.id, id)).length);
        expectSame('what the workflow knows', 0, (await subscriptionState(demo.client, id)).periodsPaid);
        await demo.killWorker(worker);
        await announce(`the money has moved; process ${worker.pid}, the only worker, is killed with SIGKILL`);
        const heir = await demo.startWorker();
        await announce(`${heir.name} (process ${heir.pid}) is there; the dead one's attempt is given up after 5 s`);
        await untilItIs(demo, id, 'the answer', ({ periodsPaid }) => periodsPaid === 1);
        return cancel(demo.client, id, { requestedAt: now(), by });
      });
      expectSame('attempts of the charge', 2, await attemptsOf(demo.client, subscriptionWorkflowId(id), 'charge'));
      await expectKept(demo, alice, state, {
        status: 'cancelled',
        entries: [-999],
        mails: ['welcome', 'subscription-cancelled'],
      });
    },
  },
  {
    name: 'mail-down',
    title: 'The mail server is killed before anybody is welcomed, and comes back after the end',
    promises: 'nothing waits for it but the end: all is charged, and each mail arrives once it is back.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, { ...everySeconds(1), maxPeriods: 2 });
      const { subscriptionId: id } = request;
      await demo.killInbox();
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        await subscribed;
        await announce('the mail server is dead; the subscription stands');
        const { mails } = await untilItIs(demo, id, 'both charges', ({ periodsPaid }) => periodsPaid === 2);
        if (!mails.pending.includes('welcome')) throw new BrokenPromise('mails on their way', 'welcome', mails);
        await announce(`both periods are charged; on its way: ${mails.pending.join(', ')}`);
        await demo.startInbox();
        await announce('the mail server is back; nothing else is done');
        const handle = demo.client.workflow.getHandle(subscriptionWorkflowId(id));
        await handle.result();
        return subscriptionState(demo.client, id);
      });
      await expectKept(demo, alice, state, {
        status: 'ended',
        entries: [-999, -999],
        mails: ['welcome', 'subscription-ended'],
      });
    },
  },
  {
    name: 'mail-twice',
    title: 'The mail server takes the welcome, and its answer is lost',
    promises:
      'the mail is sent again with the same Message-ID, and the inbox does not hide it; everything else is once.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, monthly);
      const { subscriptionId: id } = request;
      demo.setInboxFault({ kind: 'lose-answer', times: 1 });
      const state = await beforeOurEyes(session, demo, request, async (_, subscribed) => {
        await subscribed;
        const all = ({ mails, periodsPaid }: { mails: { pending: unknown[] }; periodsPaid: number }) =>
          mails.pending.length === 0 && periodsPaid === 1;
        await untilItIs(demo, id, 'charge and welcome', all);
        return cancel(demo.client, id, { requestedAt: now(), by });
      });
      const [first, second] = await demo.inbox(alice.email);
      expectSame('the second delivery', [first?.messageId, 2], [second?.messageId, second?.delivery]);
      await expectKept(demo, alice, state, {
        status: 'cancelled',
        entries: [-999],
        mails: ['welcome', 'subscription-cancelled'],
      });
    },
  },
];
