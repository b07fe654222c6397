import { describe, expect, it } from 'vitest';
import * as contract from '../src/contract.ts';
import { customerFields } from '../src/services/customers.ts';
import { monthly } from './world.ts';

const messages = (schema: { safeParse: (input: unknown) => { error?: unknown } }, input: unknown): string[] => {
  const error = schema.safeParse(input).error as { issues: { path: PropertyKey[]; message: string }[] } | undefined;
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const request = { subscriptionId: 'sub-1', customer: 'alice', plan: 'phone-36' };

describe('what is subscribed to', () => {
  it.each([
    [{ ...request, subscriptionId: '' }, /^subscriptionId: must be 1 to 100 letters/],
    [{ ...request, subscriptionId: 'a b' }, /^subscriptionId: must be 1 to 100 letters/],
    [{ ...request, customer: '../x' }, /^customer: must be 1 to 64 letters/],
    [{ ...request, plan: 'Phone 36' }, /^plan: must be 1 to 50 small letters/],
    [{ ...request, plan: null }, /^plan: must be text/],
    [{ ...request, timeZone: 'Berlin!' }, /^timeZone: must be the name of a time zone/],
    [{ ...request, eventsPerRun: 0 }, /^eventsPerRun: must be at least 1/],
    [{ ...request, discount: 5 }, /Unrecognized key.*discount/],
    [{ ...request, plan: { ...monthly, price: 0 } }, /^plan.price: must be more than zero$/],
    [{ ...request, plan: { ...monthly, price: -1 } }, /^plan.price: must be more than zero$/],
    [{ ...request, plan: { ...monthly, price: 1e21 } }, /^plan.price: must be a whole number of minor units/],
    [{ ...request, plan: JSON.parse('{"price":1e400}') }, /^plan.price: must be a whole number of minor units/m],
    [{ ...request, plan: { ...monthly, price: 9.99 } }, /^plan.price: must be a whole number of minor units/],
    [{ ...request, plan: { ...monthly, currency: 'XXX' } }, /^plan.currency: must be one of AUD/],
    [{ ...request, plan: { ...monthly, period: { months: 0 } } }, /^plan.period.months: must be at least 1$/],
    [{ ...request, plan: { ...monthly, period: { days: -3 } } }, /^plan.period.days: must be at least 1$/],
    [{ ...request, plan: { ...monthly, period: { months: 120_000 } } }, /^plan.period.months: must be at most 120/],
    [{ ...request, plan: { ...monthly, period: 'monthly' } }, /^plan.period: must be one of/],
    [{ ...request, plan: { ...monthly, trial: { years: 1 } } }, /^plan.trial: must be "none"/],
    [{ ...request, plan: { ...monthly, billing: 'never' } }, /^plan.billing: must be in-advance or in-arrears$/],
    [{ ...request, plan: { ...monthly, maxPeriods: 0 } }, /^plan.maxPeriods: must be at least 1$/],
    [{ ...request, plan: { ...monthly, dunning: [{ days: 0 }] } }, /^plan.dunning.0.days: must be at least 1$/],
    [{ ...request, plan: { ...monthly, extra: 1 } }, /^plan: Unrecognized key.*extra/],
  ])('%j is refused by field', (input, message) => {
    expect(messages(contract.atTheDoor.subscription, input).join('\n')).toMatch(message);
  });

  it('has defaults: a trial of sixty days', () => {
    const { trial: _, dunning: __, ...short } = monthly;
    const parsed = contract.inTheWorkflow.subscription.parse({ ...request, plan: short });
    expect(parsed.plan).toMatchObject({ trial: { days: 60 }, dunning: [{ days: 3 }, { days: 5 }, { days: 7 }] });
  });

  it('differs by field, whatever the order of its keys', () => {
    const parse = (input: unknown) => contract.inTheWorkflow.subscription.parse(input);
    const { name, ...rest } = monthly;
    const [one, same] = [parse({ ...request, plan: monthly }), parse({ ...request, plan: { ...rest, name } })];
    expect(contract.differingFields(one, same)).toEqual([]);
    const other = parse({ ...request, customer: 'bob', plan: { ...monthly, price: 1 } });
    expect(contract.differingFields(one, other)).toEqual(['customer', 'plan']);
  });
});

describe('a customer', () => {
  const customer = {
    id: 'alice',
    name: 'Alice',
    email: 'alice@example.com',
    account: 'alice',
    timeZone: 'Europe/Berlin',
  };

  it.each([
    [{ ...customer, email: 'a@example.com\r\nBcc: eve@example.com' }, /^email: must be an address/],
    [{ ...customer, email: 'a@example.com\n' }, /^email: must be an address/],
    [{ ...customer, email: 'alice' }, /^email: must be an address/],
    [{ ...customer, email: '' }, /^email: must be an address/],
    [{ ...customer, name: 'A\nB' }, /^name: must not contain control characters/],
    [{ ...customer, timeZone: 'Europe/Nowhere' }, /^timeZone: must be the name of a time zone/],
    [{ ...customer, account: '' }, /^account: must be 1 to 64 letters/],
  ])('%j is refused by field', (input, message) => {
    expect(messages(customerFields, input).join('\n')).toMatch(message);
  });

  it('is kept as it is', () => {
    expect(customerFields.parse(customer)).toEqual(customer);
  });
});
