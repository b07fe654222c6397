import { BrokenPromise, type Scenario } from '@repo/dev-stack';
import { failureTypes, services, type TripOutcome } from '../contract.ts';
import { bookBeforeOurEyes, type Demo, expectInTheBooks, freshTrip, setHotelCapacity } from './demo.ts';

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
];

function expectStatus<Status extends TripOutcome['status']>(outcome: TripOutcome, expected: Status) {
  if (outcome.status !== expected) throw new BrokenPromise('outcome of the workflow', expected, outcome);
  return outcome as Extract<TripOutcome, { status: Status }>;
}
