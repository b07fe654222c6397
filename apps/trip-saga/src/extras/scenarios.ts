import { BrokenPromise, type Scenario } from '@repo/dev-stack';
import { failureTypes, services, type TripOutcome } from '../contract.ts';
import {
  activityOf,
  announce,
  bookBeforeOurEyes,
  type Demo,
  expectInTheBooks,
  freshTrip,
  setHotelCapacity,
  workerOf,
} from './demo.ts';

/** Each breaks something real, or nothing, and asserts its promised ending where it counts: in the services' databases. */
export const scenarios: Scenario<Demo>[] = [
  {
    name: 'book',
    title: 'Book a trip: flight, hotel and cab',
    promises: 'the trip is booked, and all three services have it in their books.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      const outcome = await bookBeforeOurEyes(session, demo, request);
      expectStatus(outcome, 'booked');
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
  {
    name: 'hotel-full',
    title: 'The hotel has no room left: the flight is cancelled',
    promises:
      'the trip is compensated: the hotel refused, the flight is cancelled, no service has the trip in its books.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      await setHotelCapacity(demo, request.to, request.departure, 0);
      const outcome = await bookBeforeOurEyes(session, demo, request);
      const { reason, undone } = expectStatus(outcome, 'compensated');
      if (reason.type !== failureTypes.soldOut) throw new BrokenPromise('reason', failureTypes.soldOut, reason);
      if (undone.join() !== 'flight') throw new BrokenPromise('what was undone', ['flight'], undone);
      await expectInTheBooks(demo, request.tripId, []);
    },
  },
  {
    name: 'hotel-down',
    title: 'The hotel service is down: it is asked again until it is back',
    promises: 'the trip is booked, although the hotel service was not there, and it is in all books once.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      await demo.processes.hotel.stop();
      announce(session, 'the process of the hotel service is stopped');
      const outcome = await bookBeforeOurEyes(session, demo, request, async () => {
        await activityOf(demo, request, 'reserveHotel', 4);
        announce(session, 'the hotel service is started again');
        await demo.startService('hotel');
      });
      expectStatus(outcome, 'booked');
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
  {
    name: 'worker-crash',
    title: 'The worker that has the trip is killed: another one takes over',
    promises:
      'the trip is booked by the other worker, and it is in all books once, although the hotel was asked twice.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      if (demo.workers.length < 2) await demo.startWorker();
      demo.processes.hotel.freeze();
      announce(session, 'two workers; the hotel service is frozen, so that a call to it hangs');
      const outcome = await bookBeforeOurEyes(session, demo, request, async () => {
        await activityOf(demo, request, 'reserveHotel');
        const worker = await workerOf(demo, request);
        await worker.kill();
        demo.workers.splice(demo.workers.indexOf(worker), 1);
        announce(session, `${worker.name} (process ${worker.pid}) is killed with SIGKILL in the middle of it`);
        demo.processes.hotel.thaw();
        announce(session, 'the hotel service goes on, and does what the dead worker asked for');
      });
      expectStatus(outcome, 'booked');
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
];

function expectStatus<Status extends TripOutcome['status']>(outcome: TripOutcome, expected: Status) {
  if (outcome.status !== expected) throw new BrokenPromise('outcome of the workflow', expected, outcome);
  return outcome as Extract<TripOutcome, { status: Status }>;
}
