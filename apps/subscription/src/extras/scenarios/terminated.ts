import { expectSame, type Scenario, say } from '@repo/dev-stack';
import { subscriptionWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { disagreements } from '../invariants.ts';
import { entriesOfSubscription } from '../ledger-entries.ts';
import { type Finding, reconcile } from '../reconcile.ts';
import { findingInWords, nextStep } from '../reconcile-command.ts';
import { aCustomer, aSubscription, beforeOurEyes, monthly, untilItIs } from './before-our-eyes.ts';

/** A workflow that is ended from outside, and does not get to say anything to anybody. */
export const terminatedScenario: Scenario<Demo> = {
  name: 'terminated',
  title:
    'The workflow is terminated in the middle of a month: the reconciler finds the customer nobody charges any more',
  promises: 'it names the subscription, the last period that was charged for, and how to go on; it changes nothing.',
  async run(demo, session) {
    const { client, ledger } = demo;
    const alice = await aCustomer(session, demo);
    const request = aSubscription(session, alice, monthly);
    const { subscriptionId: id } = request;
    // Others may be at work in this ledger: their subscriptions are theirs, the books are everybody's.
    const turn = async () => {
      const found: Finding[] = [];
      for await (const one of reconcile({ client, ledger, merchant: demo.merchant, graceMs: 0 })) {
        if (one.problem === 'books' || one.subscriptionId === id) found.push(one);
      }
      return found;
    };
    const last = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
      await subscribed;
      const paid = await untilItIs(demo, id, 'the first charge', ({ periodsPaid }) => periodsPaid === 1);
      expectSame('what the reconciler finds while it runs', [], await turn());
      await announce('charged; now the workflow is terminated, and runs no code any more');
      await client.workflow.getHandle(subscriptionWorkflowId(id)).terminate('a scenario');
      return paid;
    });
    const found = await turn();
    expectSame(
      'what the reconciler finds',
      ['ended-from-outside'],
      found.map(({ problem }) => problem),
    );
    say(session, 'subscription reconcile --grace 0s:');
    for (const one of found)
      session.print(findingInWords(one, await nextStep(client, one)).replace(/^/gm, '            '));
    expectSame('what it finds the second time', found, await turn());
    const entries = await entriesOfSubscription(ledger, alice.id, id);
    expectSame(
      'entries in the ledger',
      [-999],
      entries.map(({ amount }) => amount),
    );
    expectSame('what the ledger says otherwise than the page did', [], await disagreements(ledger, last));
  },
};
