import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { InvalidInputError, OperatorError, parseInput, parseJson, refusalIn } from '@repo/worker-kit';
import { EndedFromOutside, isUnreachable, NoSuchWorkflow, NoWorker } from '@repo/worker-kit/lookup';
import type { Client } from '@temporalio/client';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { failureTypes, type TripOutcome, tripRequestAtTheDoor } from '../contract.ts';
import * as trips from './trips.ts';

/** The trip service in front of the three: HTTP for those who book, and a Temporal client for all that it does. */

const maxBody = 64 * 1024; // bytes

export interface TripServiceOptions {
  client: Client;
  /** Who is said to have started the trips: there is no authentication. */
  startedBy: string;
  /** Default: this machine's clock, in milliseconds since the epoch. */
  now?: (() => number) | undefined;
  /** After that time a booking is answered with 202, and goes on. Default: 10 000 ms. */
  answerWithinMs?: number | undefined;
}

/**
 * `POST /trips`, `GET /trips`, `GET /trips/{id}`, `POST /trips/{id}/cancel`, `POST /trips/{id}/resolve`; each may be
 * called again. What is not answered with 2xx has `{ error: { type, message, field? } }`.
 */
export function createTripApp({ client, startedBy, now = Date.now, answerWithinMs = 10_000 }: TripServiceOptions) {
  const app = new Hono();
  const tooLarge = { type: 'TooLarge', message: 'The body must have at most 64 KiB' };
  app.use(bodyLimit({ maxSize: maxBody, onError: (c) => c.json({ error: tooLarge }, 413) }));

  app.post('/trips', async (c) => {
    const request = parseJson(tripRequestAtTheDoor(now()), await c.req.text());
    const { tripId } = request;
    c.header('Location', `/trips/${tripId}`);
    const isNew = !(await trips.isRecorded(client, tripId));
    const booking = trips.bookOrFind(client, request, startedBy);
    const outcome = await unlessLate(booking, answerWithinMs);
    if (outcome) return c.json(outcome, isNew ? 201 : 200);
    if (await trips.isRecorded(client, tripId)) return c.json({ tripId, status: 'booking' }, 202);
    throw new OperatorError('Temporal does not answer in time.', 'Ask again: the same trip id is the same trip.');
  });

  app.get('/trips', async (c) =>
    c.json({ trips: await trips.listTrips(client, parseInput(trips.listQuery, c.req.query())) }),
  );

  app.get('/trips/:id', async (c) => c.json(await trips.tripState(client, c.req.param('id'))));

  app.post('/trips/:id/cancel', async (c) => {
    const cancel = parseJson(trips.cancelAtTheDoor, (await c.req.text()) || '{}');
    const tripId = c.req.param('id');
    const outcome = await unlessLate(trips.cancelTrip(client, tripId, cancel), answerWithinMs);
    if (outcome) return c.json(outcome);
    c.header('Location', `/trips/${tripId}`);
    return c.json({ tripId, recorded: true }, 202);
  });

  app.post('/trips/:id/resolve', async (c) => {
    const tripId = c.req.param('id');
    const outcome = await unlessLate(trips.resolveTrip(client, tripId), answerWithinMs);
    if (outcome) return c.json(outcome);
    c.header('Location', `/trips/${tripId}`);
    return c.json({ tripId, status: 'compensating' }, 202);
  });

  app.notFound((c) => c.json({ error: { type: 'NotFound', message: `No ${c.req.method} ${c.req.path} here` } }, 404));
  app.onError((error, c) => answerTo(error, c));
  return app;
}

/** Statuses of what a trip itself refuses. */
const refusals: Record<string, 409 | 422> = {
  [failureTypes.tripMismatch]: 409,
  [failureTypes.tripDeparted]: 409,
  [failureTypes.nothingToResolve]: 409,
  [failureTypes.invalidTrip]: 422,
};

async function answerTo(error: unknown, c: Context): Promise<Response> {
  if (error instanceof InvalidInputError) {
    const message = error.message.replaceAll('\n', '; ');
    return c.json({ error: { type: 'InvalidRequest', field: error.fields[0]?.field, message } }, 400);
  }
  const fail = (type: string, message: string, status: 404 | 409 | 422 | 500 | 503) => {
    if (status === 503) c.header('Retry-After', '1');
    return c.json({ error: { type, message } }, status);
  };
  if (error instanceof NoSuchWorkflow) return fail('NoSuchTrip', error.message, 404);
  if (error instanceof EndedFromOutside) return fail('EndedFromOutside', error.message, 409);
  if (error instanceof NoWorker) return fail('NoWorker', error.message, 503);
  if (error instanceof OperatorError) return fail('Unavailable', error.message, 503);
  const refusal = await refusalIn(error);
  if (refusal) return fail(refusal.type ?? 'Refused', refusal.message, refusals[refusal.type ?? ''] ?? 422);
  if (isUnreachable(error)) return fail('Unavailable', 'Temporal does not answer', 503);
  console.error(error);
  return fail('InternalError', 'A fault in this service; its log says more', 500);
}

/** The outcome; undefined if it takes longer than that. What was asked for goes on. */
async function unlessLate(work: Promise<TripOutcome | undefined>, ms: number): Promise<TripOutcome | undefined> {
  // Nobody may be left to hear that it failed after all; Temporal has it in its history.
  work.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * Serves the trips on this port of the loopback interface, for there is no authentication; 0 is any free port.
 * @throws OperatorError if the port is taken
 */
export function serveTrips(options: TripServiceOptions, port: number) {
  const server = createServer(getRequestListener(createTripApp(options).fetch));
  return new Promise<{ url: string; close(): Promise<void> }>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new OperatorError(`Cannot listen: ${cause.message}`, 'Choose another port with --port.', { cause })),
    );
    server.listen(port, '127.0.0.1', () => {
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeIdleConnections();
          setTimeout(() => server.closeAllConnections(), 5_000).unref();
        });
      resolve({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close });
    });
  });
}
