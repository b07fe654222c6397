import { currencies } from '@repo/ledger/money';
import { z } from 'zod';

/** A length of time on the calendar, or in seconds for a demo. Exactly one of the three. */
export type Span = { months: number } | { days: number } | { seconds: number };

const whole = (most: number) =>
  z.int('must be a whole number').min(1, 'must be at least 1').max(most, `must be at most ${most}, ten years`);

export const span = z.union(
  [
    z.strictObject({ months: whole(120) }),
    z.strictObject({ days: whole(3_652) }),
    z.strictObject({ seconds: whole(3_652 * 86_400) }),
  ],
  'must be one of {"months": n}, {"days": n} and {"seconds": n}, n a whole number from 1',
);

export const planName = z
  .string('must be text')
  .regex(/^[a-z0-9][a-z0-9-]{0,49}$/, 'must be 1 to 50 small letters, digits and "-", a letter or digit first');

/** Minor units. */
export const price = z
  .int(`must be a whole number of minor units, at most ${Number.MAX_SAFE_INTEGER}`)
  .min(1, 'must be more than zero')
  .max(1_000_000_000_000, 'must be at most 1000000000000');

const planFields = {
  name: planName,
  /** Free of charge, before the first period. Sixty days unless told otherwise. */
  trial: z.union([z.literal('none'), span], 'must be "none", or a time such as {"days": 60}').default({ days: 60 }),
  period: span,
  /** Whether a period is charged for when it begins, or when it is over. */
  billing: z.enum(['in-advance', 'in-arrears'], 'must be in-advance or in-arrears'),
  /** For each period, in minor units. */
  price,
  currency: z.enum(
    Object.keys(currencies) as (keyof typeof currencies)[],
    `must be one of ${Object.keys(currencies).join(', ')}`,
  ),
  /** Then it is over. Left out, it goes on until it is cancelled. */
  maxPeriods: z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(10_000, 'must be at most 10000')
    .optional(),
  /** The times between one try of a charge that was declined and the next; none, and the first no is the last. */
  dunning: z
    .array(span, 'must be a list such as [{"days": 3}]')
    .max(10, 'must have at most 10')
    .default([{ days: 3 }, { days: 5 }, { days: 7 }]),
};

export const plan = z.object(planFields);
export const strictPlan = z.strictObject(planFields);
export type Plan = z.output<typeof plan>;
export type PlanInput = z.input<typeof plan>;

/**
 * The plans that have a name. Read by an activity when somebody subscribes, and kept with the subscription: a change here is
 * for new ones.
 */
export const catalogue: Record<string, Plan> = {
  'phone-36': {
    name: 'phone-36',
    trial: 'none',
    period: { months: 1 },
    billing: 'in-advance',
    price: 29_99,
    currency: 'EUR',
    maxPeriods: 36,
    dunning: [{ days: 3 }, { days: 5 }, { days: 7 }],
  },
  endless: {
    name: 'endless',
    trial: { days: 60 },
    period: { days: 30 },
    billing: 'in-arrears',
    price: 9_99,
    currency: 'EUR',
    dunning: [{ days: 3 }, { days: 5 }, { days: 7 }],
  },
};

/** `1 month`, `30 days`. */
export function spanInWords(length: Span): string {
  const [[unit, count] = ['seconds', 0]] = Object.entries(length) as [string, number][];
  return `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
}
