import { expectSame, type Scenario } from '@repo/dev-stack';
import { tripWorkflowId } from '../../contract.ts';
import { bookTrip } from '../../starter.ts';
import type { Demo } from '../demo.ts';
import { reconcile } from '../reconciler/reconcile.ts';
import { freshTrip } from './at-the-services.ts';
import { activityOf, beforeOurEyes, expectInTheBooks } from './before-our-eyes.ts';

/** A workflow that is ended from outside, and does not get to undo anything. */
export const terminatedScenario: Scenario<Demo> = {
  name: 'terminated',
  title: 'The workflow is terminated in the middle: the reconciler undoes what it left',
  promises: 'flight and hotel, which nobody looked after any more, are undone; the second time there is nothing to do.',
  async run(demo, session) {
    const { client, urls } = demo;
    const request = await freshTrip(session, demo);
    const { tripId } = request;
    const reconcileNow = async () => {
      const services = { FLIGHT_URL: urls.flight, HOTEL_URL: urls.hotel, CAB_URL: urls.cab };
      const { undone } = await reconcile({ client, urls: services, now: Date.now(), graceMs: 0 });
      return undone.filter((one) => one.tripId === tripId).flatMap((one) => one.services);
    };
    await demo.stopService('cab');
    await beforeOurEyes(session, demo, request, async ({ announce }) => {
      // Nobody will ever answer this call.
      const unanswered = bookTrip(client, request, 'somebody').catch(() => undefined);
      await activityOf(demo, request, 'scheduleCab', 2);
      await announce('the cab service is down; now the workflow is terminated, and runs no code any more');
      await client.workflow.getHandle(tripWorkflowId(tripId)).terminate('a scenario');
      await unanswered;
      await expectInTheBooks(demo, tripId, ['flight', 'hotel']);
      await announce('flight and hotel are booked, and no workflow knows of them');
      await demo.startService('cab');
      expectSame('what the reconciler undid', ['hotel', 'flight'], await reconcileNow());
      await announce('the reconciler has undone hotel and flight, and left word at the cab service');
    });
    await expectInTheBooks(demo, tripId, []);
    expectSame('what the reconciler undid the second time', [], await reconcileNow());
  },
};
