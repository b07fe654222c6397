import type { Hono } from 'hono';
import { z } from 'zod';
import { check } from './check.ts';

const faultsBody = z.strictObject({
  unhealthy: z.int('must be a whole number').min(0).max(1000).optional(),
  holdActivations: z.boolean('must be true or false').optional(),
});

/**
 * Faults on request, for demonstrations: only a host that was started with `--faults` has them.
 *
 * `PUT /-/faults` `{ unhealthy: n }`: the next n answers about health say no.
 * `{ holdActivations: true }`: activations wait at the door until this is `false`; `GET /-/faults` says how many do.
 */
export class HostFaults {
  #unhealthy = 0;
  #hold: { released: Promise<void>; release: () => void } | undefined;
  #held = 0;

  /** True if this answer about health is to say no. */
  takeUnhealthy(): boolean {
    if (this.#unhealthy === 0) return false;
    this.#unhealthy -= 1;
    return true;
  }

  /** Resolves when an activation may go on. */
  async pass(): Promise<void> {
    if (!this.#hold) return;
    this.#held += 1;
    await this.#hold.released.finally(() => {
      this.#held -= 1;
    });
  }

  addRoutes(app: Hono): void {
    const now = () => ({ unhealthy: this.#unhealthy, holdActivations: this.#hold !== undefined, held: this.#held });
    app.get('/-/faults', (c) => c.json(now()));
    app.put('/-/faults', async (c) => {
      const { unhealthy, holdActivations } = check(faultsBody, await c.req.text());
      this.#unhealthy = unhealthy ?? this.#unhealthy;
      if (holdActivations === true) this.#hold ??= hold();
      if (holdActivations === false) {
        this.#hold?.release();
        this.#hold = undefined;
      }
      return c.json(now());
    });
  }
}

function hold() {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { released, release };
}
