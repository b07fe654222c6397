import { z } from 'zod';
import { type Plan, type PlanInput, plan, planName, price, span, strictPlan } from './plans.ts';

/** What may be asked for: checked at the doors, and again in the workflow. */

const subscriptionId = z
  .string('must be text')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'must be 1 to 100 letters, digits, ".", "_" and "-", a letter or digit first',
  );
export const customerId = z
  .string('must be text')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits, ".", "_" and "-", a letter or digit first',
  );
/** Text of one line in which nothing is hidden. */
export const line = (most: number) =>
  z
    .string('must be text')
    .max(most, `must have at most ${most} characters`)
    .regex(
      /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]*$/u,
      'must not contain control characters',
    )
    .trim()
    .min(1, 'must not be empty');
const by = line(100);
const periodNumber = z.int('must be a whole number').min(1, 'must be at least 1').max(10_000, 'must be at most 10000');
const aTime = 'must be a time such as 2027-03-20T09:30:00Z or 2027-03-20T10:30:00+01:00';
const instant = z.iso
  .datetime({ offset: true, error: aTime, abort: true })
  .refine((text) => !Number.isNaN(Date.parse(text)), aTime);
export const timeZone = z
  .string('must be text')
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/, 'must be the name of a time zone, such as Europe/Berlin');

const subscriptionFields = {
  subscriptionId,
  customer: customerId,
  /** In which months and days are counted. The customer's own, unless told otherwise. */
  timeZone: timeZone.optional(),
  /** After so many events of its history it goes on as a new run. 1000, unless told otherwise. */
  eventsPerRun: z
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(10_000, 'must be at most 10000')
    .optional(),
};
/** A name from the catalogue, or a plan of one's own. Not a union: what is wrong in a plan is said by its field. */
const planOf = (schema: typeof plan | typeof strictPlan) =>
  z.unknown().transform((value, context): string | Plan => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const parsed = (isObject ? schema : planName).safeParse(value);
    if (parsed.success) return parsed.data;
    context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: value }) as never));
    return z.NEVER;
  });
const changePriceFields = {
  /** Minor units. */
  price,
  /** The first period for which it holds: the next one, unless told otherwise. */
  from: periodNumber.optional(),
  /** Asked for twice under the same id, it is changed once. */
  changeId: customerId.optional(),
  by,
};
const changePeriodFields = {
  period: span,
  /** The first period that is so long: the next one, unless told otherwise. Its beginning is what later ones are counted from. */
  from: periodNumber.optional(),
  changeId: customerId.optional(),
  by,
};
const adjustFields = {
  /** Asked for twice under the same one, it is booked once. */
  reference: customerId,
  /** Minor units. */
  amount: price,
  /** Whether it is given to the customer, or taken. */
  direction: z.enum(['credit', 'debit'], 'must be credit or debit'),
  reason: line(200),
  by,
};
const refundFields = { period: periodNumber, reason: line(200).default('refund'), by };
const resolveFields = {
  period: periodNumber,
  /** Whether the customer was given the money in some other way, or is not to have it. */
  how: z.enum(['paid-out', 'waived'], 'must be paid-out or waived'),
  /** For whoever reads the books one day. */
  note: line(200),
  by,
};
const cancelFields = {
  /** ISO 8601: what counts. If left out, it is now, but no later than the end of what was paid for while a worker was up. */
  requestedAt: instant.optional(),
  by: by.optional(),
};

/** For the doors (command line, HTTP): every field checked, unknown fields refused. */
export const atTheDoor = {
  subscription: z.strictObject({ ...subscriptionFields, plan: planOf(strictPlan) }),
  changePrice: z.strictObject(changePriceFields),
  changePeriod: z.strictObject(changePeriodFields),
  adjust: z.strictObject(adjustFields),
  refund: z.strictObject(refundFields),
  resolve: z.strictObject(resolveFields),
  cancel: z.strictObject(cancelFields),
  subscriptionId: z.strictObject({ subscriptionId }),
};

/** For the workflow: the same rules, but a field that only a newer client knows is ignored. */
export const inTheWorkflow = {
  subscription: z.object({ ...subscriptionFields, plan: planOf(plan) }),
  changePrice: z.object(changePriceFields),
  changePeriod: z.object(changePeriodFields),
  adjust: z.object(adjustFields),
  refund: z.object(refundFields),
  resolve: z.object(resolveFields),
  cancel: z.object(cancelFields),
};

export type SubscriptionRequest = z.output<typeof inTheWorkflow.subscription>;
/** As it may be sent: what has a default can be left out. */
export type SubscriptionInput = Omit<SubscriptionRequest, 'plan'> & { plan: string | PlanInput };
/** The fields in which two requests differ; none if they ask for the same subscription. */
export const differingFields = (one: SubscriptionRequest, other: SubscriptionRequest): string[] =>
  (Object.keys(inTheWorkflow.subscription.shape) as (keyof SubscriptionRequest)[]).filter(
    // Both have been parsed, so their keys are in the same order.
    (field) => JSON.stringify(one[field]) !== JSON.stringify(other[field]),
  );
export type ChangePrice = z.output<typeof inTheWorkflow.changePrice>;
export type ChangePeriod = z.output<typeof inTheWorkflow.changePeriod>;
export type Adjust = z.output<typeof inTheWorkflow.adjust>;
export type Refund = z.input<typeof inTheWorkflow.refund>;
export type Resolve = z.output<typeof inTheWorkflow.resolve>;
export type Cancel = z.output<typeof inTheWorkflow.cancel>;
