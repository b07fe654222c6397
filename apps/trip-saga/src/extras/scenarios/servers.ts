import { BrokenPromise, requireOwned, type Scenario, say, until } from '@repo/dev-stack';
import { services } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { freshTrip } from './at-the-services.ts';
import { activityOf, bookBeforeOurEyes, expectInTheBooks, expectStatus } from './before-our-eyes.ts';

/** A server that everything stands on is gone for a while. */
export const serverScenarios: Scenario<Demo>[] = [
  {
    name: 'server-restart',
    title: 'Temporal itself is killed in the middle of a trip, and started again',
    promises: 'the trip goes on where it was and is booked, and it is in all books once.',
    async run(demo, session) {
      requireOwned(session, 'temporal');
      const request = await freshTrip(session, demo);
      demo.freezeService('hotel');
      say(session, 'the hotel service is frozen, so that a call to it hangs');
      const outcome = await bookBeforeOurEyes(session, demo, request, async ({ announce, announceAtOnce }) => {
        await activityOf(demo, request, 'reserveHotel');
        await announce('the worker waits for the hotel; now Temporal is killed with SIGKILL');
        await demo.takeDown('temporal', 'killServer');
        demo.processes.hotel.thaw();
        await until('the booking', () => demo.books.confirmation('hotel', request.tripId));
        announceAtOnce('the hotel has booked meanwhile, and the worker cannot tell Temporal');
        announceAtOnce('Temporal is starting, with what it has on disk');
        await demo.bringBack('temporal');
      });
      expectStatus(outcome, 'booked');
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
  {
    name: 'postgres-down',
    title: 'The database of all three services is down in the middle of a trip',
    promises: 'the hotel is asked again until its database is back; the trip is booked, and it is in all books once.',
    async run(demo, session) {
      requireOwned(session, 'postgres');
      const request = await freshTrip(session, demo);
      demo.freezeService('hotel');
      say(session, 'the hotel service is frozen, so that a call to it hangs');
      const outcome = await bookBeforeOurEyes(session, demo, request, async ({ announce }) => {
        await activityOf(demo, request, 'reserveHotel');
        await demo.takeDown('postgres', 'stopServer');
        await announce('PostgreSQL is stopped');
        demo.processes.hotel.thaw();
        await announce('the hotel service goes on, without its database: it answers 503');
        const { lastFailure } = await activityOf(demo, request, 'reserveHotel', 4);
        if (lastFailure?.applicationFailureInfo?.type !== 'ServiceUnavailable')
          throw new BrokenPromise('why the hotel failed', 'ServiceUnavailable', lastFailure);
        await demo.bringBack('postgres');
        await announce('PostgreSQL is up again');
      });
      expectStatus(outcome, 'booked');
      await expectInTheBooks(demo, request.tripId, services);
    },
  },
];
