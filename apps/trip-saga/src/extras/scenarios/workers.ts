import { fileURLToPath } from 'node:url';
import { BrokenPromise, expectSame, type Scenario, say, until } from '@repo/dev-stack';
import { cancelSignal, services, tripWorkflowId } from '../../contract.ts';
import type { trip } from '../../workflows.ts';
import type { Demo } from '../demo.ts';
import { freshTrip } from './at-the-services.ts';
import {
  activityOf,
  beforeOurEyes,
  book,
  bookBeforeOurEyes,
  expectInTheBooks,
  expectStatus,
  workerOf,
} from './before-our-eyes.ts';

const buggyWorker = fileURLToPath(new URL('../buggy-worker/main.ts', import.meta.url));

/** A worker that dies, that is not there, or that has a bug. */
export const workerScenarios: Scenario<Demo>[] = [
  {
    name: 'worker-crash',
    title: 'The worker that has the trip is killed: another one takes over',
    promises:
      'the trip is booked by the other worker, and it is in all books once, although the hotel was asked twice.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      if (demo.workers.length < 2) await demo.startWorker();
      demo.freezeService('hotel');
      say(session, 'two workers; the hotel service is frozen, so that a call to it hangs');
      const outcome = await bookBeforeOurEyes(session, demo, request, async ({ announce }, booking) => {
        await activityOf(demo, request, 'reserveHotel');
        const worker = await workerOf(demo, request);
        await demo.killWorker(worker);
        await announce(`${worker.name} (process ${worker.pid}) is killed with SIGKILL in the middle of it`);
        demo.processes.hotel.thaw();
        await announce('the hotel service goes on, and does what the dead worker asked for');
        await announce(
          'the dead cannot report: Temporal acts when the 5 s of a call (start-to-close timeout) are over',
        );
        await booking;
        const heir = await workerOf(demo, request);
        await announce(`${heir.name} (process ${heir.pid}) has taken over`);
      });
      expectStatus(outcome, 'booked');
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
  {
    name: 'cancel',
    title: 'The trip is cancelled while no worker is there: the wish is kept until one is',
    promises: 'the cancellation is recorded without a worker; with one, everything is undone and no book has the trip.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      const { tripId } = request;
      const handle = demo.client.workflow.getHandle<typeof trip>(tripWorkflowId(tripId));
      const outcome = await beforeOurEyes(session, demo, request, async ({ announce }) => {
        expectStatus(await book(demo, request), 'booked');
        await demo.stopWorkers();
        await announce('no worker is there any more');
        const requestedAt = new Date().toISOString();
        await handle.signal(cancelSignal, { requestedAt });
        await until('the signal in the history', async () => {
          const { events } = await handle.fetchHistory();
          return events?.find((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'cancel');
        });
        await announce(`the signal cancel, asked for at ${requestedAt}, is in the history`);
        await expectInTheBooks(demo, tripId, services);
        await announce('all three services still have the trip in their books');
        const worker = await demo.startWorker();
        await announce(`${worker.name} (process ${worker.pid}) is there`);
        return handle.result();
      });
      const { undone } = expectStatus(outcome, 'cancelled');
      expectSame('what was undone, newest first', ['cab', 'hotel', 'flight'], undone);
      await expectInTheBooks(demo, tripId, []);
    },
  },
  {
    name: 'bug-fix',
    title: 'A worker with a bug: three trips wait, and go on with the worker that has the fix',
    promises: 'all three trips are booked, none has failed, and nobody had to start one again.',
    async run(demo, session) {
      const requests = [await freshTrip(session, demo), await freshTrip(session, demo), await freshTrip(session, demo)];
      const [first, ...others] = requests as [(typeof requests)[0], ...typeof requests];
      await demo.stopWorkers();
      const buggy = await demo.startWorker(buggyWorker);
      demo.mendLater(() => demo.workers.includes(buggy) && demo.stopWorkers());
      say(session, `${buggy.name} has a bug; two more trips: ${others.map(({ tripId }) => tripId).join(', ')}`);
      const outcomes = await beforeOurEyes(session, demo, first, async ({ announce }) => {
        const booking = Promise.all(requests.map((request) => book(demo, request)));
        booking.catch(() => {}); // It is waited for below; until then its failure is nobody's.
        await Promise.all(requests.map((request) => activityOf(demo, request, 'reserveHotel', 3)));
        await demo.stopWorkers();
        await announce('all three have failed at the hotel more than once, and wait; the worker is stopped');
        const fixed = await demo.startWorker();
        await announce(`${fixed.name} has the fix; nothing else is done`);
        return booking;
      });
      for (const outcome of outcomes) expectStatus(outcome, 'booked');
      for (const { tripId } of requests) {
        const { status } = await demo.client.workflow.getHandle(tripWorkflowId(tripId)).describe();
        if (status.name !== 'RUNNING') throw new BrokenPromise(`status of trip ${tripId}`, 'RUNNING', status.name);
        await expectInTheBooks(demo, tripId, services);
      }
    },
  },
];
