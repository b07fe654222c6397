import { DatabaseUnavailable, findOperation, type Refused, transaction } from '@repo/operations';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Pool } from 'pg';
import { z } from 'zod';
import { book, cancel, findBooking, listBookings } from './bookings.ts';
import { ConnectionLost, type FaultPoints } from './fault-points.ts';
import { check, Problem, refusalProblem } from './problem.ts';
import { date, key, type Service } from './requests.ts';
import { findStock, setCapacity } from './stock.ts';

const capacityRequest = z.strictObject({ capacity: z.int('must be a whole number').min(0).max(1_000_000) });
const stockItem = z.object({ resource: key, date });
const maxBody = 64 * 1024; // bytes

/**
 * The HTTP interface of one service. Every call may be repeated and then answers the same:
 * `PUT` and `DELETE /bookings/{key}` in whatever order they arrive, `GET` to look, and `/stock/{resource}/{date}`.
 *
 * @param faults only for demonstrations; without it no call can be made to fail
 */
export function createApp(service: Service, pool: Pool, faults?: FaultPoints): Hono {
  const app = new Hono();
  app.use(bodyLimit({ maxSize: maxBody, onError: () => fail('tooLarge', 'The body must have at most 64 KiB') }));

  app.on(['PUT', 'DELETE'], '/bookings/:key', async (c, next) => {
    await next();
    faults?.at('before-return', c);
  });

  app.put('/bookings/:key', async (c) => {
    const bookingKey = check(key, c.req.param('key'), 'key');
    const request = check(service.request, await json(c), 'body');
    faults?.at('before-transaction', c);
    const result = await book(pool, service, bookingKey, request);
    faults?.at('after-commit', c);
    if (result.status === 'done') return c.json(result.outcome, result.replayed ? 200 : 201);
    if (result.status === 'refused') throw refusalProblem(result.refusal);
    if (result.status === 'mismatch') return fail('bookingMismatch', `Another request has the key ${bookingKey}`);
    return fail('bookingCancelled', `The booking ${bookingKey} was cancelled`);
  });

  app.delete('/bookings/:key', async (c) => {
    const bookingKey = check(key, c.req.param('key'), 'key');
    faults?.refuseCancellation(bookingKey);
    faults?.at('before-transaction', c);
    const { status } = await cancel(pool, bookingKey);
    faults?.at('after-commit', c);
    return c.json({ key: bookingKey, status: 'cancelled', wasBooked: status === 'compensated' });
  });

  app.get('/bookings/:key', async (c) => {
    const bookingKey = check(key, c.req.param('key'), 'key');
    const booking = await findBooking(pool, bookingKey);
    if (booking) return c.json(booking);
    const operation = await findOperation(pool, bookingKey);
    if (operation?.status === 'refused') throw refusalProblem(operation.outcome as Refused);
    if (operation) return fail('bookingCancelled', `The booking ${bookingKey} was cancelled`);
    return fail('notFound', `No booking ${bookingKey}`);
  });

  app.get('/bookings', async (c) => {
    const after = c.req.query('after') ?? '';
    const prefix = check(key, c.req.query('prefix') ?? '', 'prefix');
    return c.json({ bookings: await listBookings(pool, prefix, after && check(key, after, 'after')) });
  });

  // Without this, a key that is empty by mistake would look like a wrong address.
  app.all('/bookings/', () => fail('invalidRequest', 'key must not be empty', { field: 'key' }));

  app.put('/stock/:resource/:date', async (c) => {
    const item = check(stockItem, c.req.param(), 'stock');
    const stock = await setCapacity(pool, { ...item, ...check(capacityRequest, await json(c), 'body') });
    return stock ? c.json(stock) : fail('capacityTaken', 'More than that is taken already', { field: 'capacity' });
  });

  app.get('/stock/:resource/:date', async (c) => {
    const { resource, date } = check(stockItem, c.req.param(), 'stock');
    return c.json(await findStock(pool, service, resource, date));
  });

  app.get('/healthz', async (c) => {
    await transaction(pool, (tx) => tx.query('SELECT 1'));
    return c.json({ service: service.name, status: 'ok' });
  });

  faults?.addRoutes(app);
  app.notFound((c) => answer(c, new Problem('notFound', `No ${c.req.method} ${c.req.path} here`)));
  app.onError((error, c) => (error instanceof ConnectionLost ? error.response : answer(c, asProblem(error))));
  return app;
}

function fail(...problem: ConstructorParameters<typeof Problem>): never {
  throw new Problem(...problem);
}

const answer = (c: Context, problem: Problem) => {
  if (problem.status === 503) c.header('Retry-After', '1');
  return c.json(problem.reply, problem.status);
};

async function json(c: Context): Promise<unknown> {
  const body = await c.req.text();
  try {
    return JSON.parse(body);
  } catch {
    return fail('invalidRequest', 'body is not JSON', { field: 'body' });
  }
}

function asProblem(error: Error): Problem {
  if (error instanceof Problem) return error;
  // What was asked for may have happened. The key makes asking again harmless.
  if (error instanceof DatabaseUnavailable)
    return new Problem('unavailable', `${error.message}: ${reason(error.cause)}`);
  console.error(error);
  return new Problem('internalError', 'A fault in this service; its log says more');
}

/** A failure to connect to several addresses has an empty message, but a code. */
const reason = (cause: unknown) =>
  (cause instanceof Error && (cause.message || (cause as NodeJS.ErrnoException).code)) || 'unknown';
