import { BrokenPromise, expectSame, type Scenario, say, until } from '@repo/dev-stack';
import { failureTypes, resolveUpdate, services, stateQuery, statusAttribute, tripWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { fillUp, freshTrip, loseReplies, refuseCancellation } from './at-the-services.ts';
import {
  activityOf,
  attemptsOf,
  beforeOurEyes,
  book,
  bookBeforeOurEyes,
  expectInTheBooks,
  expectStatus,
} from './before-our-eyes.ts';

/** A service that is full, away, or loses what it says. */
export const serviceScenarios: Scenario<Demo>[] = [
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
      await fillUp(demo, 'hotel', request.to, request.departure);
      const outcome = await bookBeforeOurEyes(session, demo, request);
      const { reason, undone } = expectStatus(outcome, 'compensated');
      if (reason.type !== failureTypes.soldOut) throw new BrokenPromise('reason', failureTypes.soldOut, reason);
      expectSame('what was undone', ['flight'], undone);
      await expectInTheBooks(demo, request.tripId, []);
    },
  },
  {
    name: 'hotel-down',
    title: 'The hotel service is down: it is asked again until it is back',
    promises: 'the trip is booked, although the hotel service was not there, and it is in all books once.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      await demo.stopService('hotel');
      say(session, 'the process of the hotel service is stopped');
      const outcome = await bookBeforeOurEyes(session, demo, request, async ({ announce }) => {
        await activityOf(demo, request, 'reserveHotel', 4);
        await demo.startService('hotel');
        await announce('the hotel service is up again; it is asked when the wait is over');
      });
      expectStatus(outcome, 'booked');
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
  {
    name: 'lost-reply',
    title: 'The hotel books, and its answer is lost: it is asked again, and books nothing twice',
    promises: 'the second attempt gets the booking of the first; the trip is in all books once.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      await loseReplies(demo, 'hotel', 'after-commit', 1);
      say(session, 'the hotel service will break its connection after COMMIT, before it has answered');
      const outcome = await bookBeforeOurEyes(session, demo, request, async ({ announce }) => {
        const booked = await until('the booking', () => demo.books.confirmation('hotel', request.tripId));
        await announce(`the hotel has it in its books by now (${booked}), and the worker does not know`);
      });
      const { bookings } = expectStatus(outcome, 'booked');
      expectSame('attempts at the hotel', 2, await attemptsOf(demo, request, 'reserveHotel'));
      expectSame('confirmation', await demo.books.confirmation('hotel', request.tripId), bookings.hotel.confirmation);
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
  {
    name: 'needs-attention',
    title: 'A booking that cannot be undone: the others are, and this one waits for a person',
    promises:
      'the flight is cancelled although the hotel refuses; the trip shows that it needs attention; resolved, nothing is left in the books.',
    async run(demo, session) {
      const request = await freshTrip(session, demo);
      const { tripId, to, departure } = request;
      await fillUp(demo, 'cab', to, departure);
      const mend = await refuseCancellation(demo, 'hotel', tripId);
      const handle = demo.client.workflow.getHandle(tripWorkflowId(tripId));
      say(session, 'there is no cab left, and the hotel will refuse to cancel');
      await beforeOurEyes(session, demo, request, async ({ announce }) => {
        const { stuck } = expectStatus(await book(demo, request), 'needs-attention');
        expectSame('what is stuck', 'hotel', stuck.map(({ service }) => service).join());
        expectSame('status by query', 'needs-attention', (await handle.query(stateQuery)).status);
        const { typedSearchAttributes } = await handle.describe();
        expectSame('search attribute Status', 'needs-attention', typedSearchAttributes.get(statusAttribute));
        await expectInTheBooks(demo, tripId, ['hotel']);
        await announce(`stuck: ${stuck[0]?.message}`);
        await announce('found by: pnpm temporal workflow list --query \'`Status` = "needs-attention"\'');
        await mend();
        await announce('somebody has talked to the hotel; now: the update resolve');
        expectStatus(await handle.executeUpdate(resolveUpdate), 'compensated');
      });
      expectStatus(await handle.result(), 'compensated');
      await expectInTheBooks(demo, tripId, []);
    },
  },
];
