import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { check, Problem } from './problem.ts';
import { key } from './requests.ts';

/** Where a call can lose its connection: nothing done yet, done and unsaid, about to be said. */
const names = ['before-transaction', 'after-commit', 'before-return'] as const;
type FaultPoint = (typeof names)[number];

const faultRequest = z.strictObject({ calls: z.int('must be a whole number').min(0).max(1000) });
const refusalRequest = z.strictObject({ on: z.boolean('must be true or false') });

/**
 * Faults on request, for demonstrations: only a process that was started with `--fault-points` has them.
 *
 * `PUT /fault-points/{name}` `{ calls: n }`: the next n calls that book or cancel lose their connection at that point.
 * `PUT /refused-cancellations/{key}` `{ on: true }`: that booking is not cancelled for as long as this is on.
 */
export class FaultPoints {
  readonly #calls = new Map<FaultPoint, number>();
  readonly #refused = new Set<string>();

  /** @throws ConnectionLost if this call is to end here */
  at(point: FaultPoint, c: Context): void {
    const left = this.#calls.get(point) ?? 0;
    if (left === 0) return;
    this.#calls.set(point, left - 1);
    c.env.outgoing.destroy();
    throw new ConnectionLost(point);
  }

  /** @throws Problem `cancellationRefused` for as long as that is switched on for this booking */
  refuseCancellation(bookingKey: string): void {
    if (!this.#refused.has(bookingKey)) return;
    throw new Problem('cancellationRefused', `The booking ${bookingKey} is not cancelled: it is locked at the desk`);
  }

  addRoutes(app: Hono): void {
    app.put('/fault-points/:name', async (c) => {
      const name = check(z.enum(names, `must be one of ${names.join(', ')}`), c.req.param('name'), 'name');
      const { calls } = check(faultRequest, await c.req.json().catch(() => undefined), 'body');
      this.#calls.set(name, calls);
      return c.json({ name, calls });
    });
    app.put('/refused-cancellations/:key', async (c) => {
      const bookingKey = check(key, c.req.param('key'), 'key');
      const { on } = check(refusalRequest, await c.req.json().catch(() => undefined), 'body');
      if (on) this.#refused.add(bookingKey);
      else this.#refused.delete(bookingKey);
      return c.json({ key: bookingKey, on });
    });
  }
}

/** The connection of this call is gone, so there is nobody to answer. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
  readonly response = RESPONSE_ALREADY_SENT;
}
