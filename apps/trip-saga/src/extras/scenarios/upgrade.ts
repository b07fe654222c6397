import { fileURLToPath } from 'node:url';
import { BrokenPromise, expectSame, type Scenario } from '@repo/dev-stack';
import { services, type TripRequest, tripWorkflowId } from '../../contract.ts';
import type { trip } from '../../workflows.ts';
import type { Demo } from '../demo.ts';
import { freshTrip } from './at-the-services.ts';
import { activityOf, beforeOurEyes, book, expectInTheBooks, expectStatus } from './before-our-eyes.ts';

const workerOfVersion2 = fileURLToPath(new URL('../upgrade-worker/main.ts', import.meta.url));

/** A deployment of changed workflow code in the middle of a trip. */
export const upgradeScenario: Scenario<Demo> = {
  name: 'upgrade',
  title: 'Version 2 of the workflow is deployed in the middle of a trip: it takes the cab before the hotel',
  promises: 'the trip that was under way is booked in the old order, the next one in the new order; no history breaks.',
  async run(demo, session) {
    const underWay = await freshTrip(session, demo);
    await demo.stopService('hotel');
    const outcome = await beforeOurEyes(session, demo, underWay, async ({ announce }) => {
      const booking = book(demo, underWay);
      booking.catch(() => {}); // It is waited for below; until then its failure is nobody's.
      await activityOf(demo, underWay, 'reserveHotel', 2);
      await demo.stopWorkers();
      await announce('the hotel service is down, the trip is waiting for it; version 1 of the worker is stopped');
      const next = await demo.startWorker(workerOfVersion2, { called: 'upgraded worker' });
      // Version 1 cannot go on with what version 2 began: after the scenario it must not meet any of it.
      demo.mendLater(() => demo.workers.includes(next) && demo.stopWorkers());
      await announce(`${next.name} has version 2: the cab before the hotel, inside patched('cab-before-hotel')`);
      await demo.startService('hotel');
      await announce('the hotel service is up again');
      return booking;
    });
    expectStatus(outcome, 'booked');
    expectSame('steps of the trip that was under way', oldOrder, await stepsOf(demo, underWay));
    await expectInTheBooks(demo, underWay.tripId, services);

    const next = await freshTrip(session, demo);
    const handle = demo.client.workflow.getHandle<typeof trip>(tripWorkflowId(next.tripId));
    const end = await beforeOurEyes(session, demo, next, async ({ announce }) => {
      expectStatus(await book(demo, next), 'booked');
      await expectInTheBooks(demo, next.tripId, services);
      await announce('a new trip goes the new way; now it is cancelled: version 1, which is back soon, cannot read it');
      await handle.cancel();
      return handle.result();
    });
    const { undone } = expectStatus(end, 'cancelled');
    expectSame('what was undone, newest first', ['hotel', 'cab', 'flight'], undone);
    expectSame('steps of the new trip', newOrder, (await stepsOf(demo, next)).slice(0, 3));
    await expectInTheBooks(demo, next.tripId, []);
    await expectNoTaskFailed(demo, underWay);
    await expectNoTaskFailed(demo, next);
  },
};

const oldOrder = ['bookFlight', 'reserveHotel', 'scheduleCab'];
const newOrder = ['bookFlight', 'scheduleCab', 'reserveHotel'];

const eventsOf = async ({ client }: Demo, { tripId }: TripRequest) =>
  (await client.workflow.getHandle(tripWorkflowId(tripId)).fetchHistory()).events ?? [];

const stepsOf = async (demo: Demo, request: TripRequest) =>
  (await eventsOf(demo, request)).flatMap((one) => one.activityTaskScheduledEventAttributes?.activityType?.name ?? []);

/** @throws BrokenPromise if a worker could not go on with the history, even if only for a while */
async function expectNoTaskFailed(demo: Demo, request: TripRequest): Promise<void> {
  const failed = (await eventsOf(demo, request)).find((event) => event.workflowTaskFailedEventAttributes);
  const what = `workflow tasks of ${request.tripId} that failed`;
  if (failed) throw new BrokenPromise(what, 'none', failed.workflowTaskFailedEventAttributes?.failure?.message);
}
