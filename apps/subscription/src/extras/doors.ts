import { readFile } from 'node:fs/promises';
import { InvalidAmount, isCurrency, parseAmount } from '@repo/ledger/money';
import { InvalidInputError } from '@repo/worker-kit';
import { z } from 'zod';
import { customerId, type Span } from '../contract.ts';
import { customerFields } from '../services/customers.ts';

/** What is typed at the command line, checked before anything is asked of anybody. */

/** The account has the customer's own name. */
export const customerDoor = customerFields.omit({ account: true }).extend({
  currency: z.string().refine(isCurrency, 'must be a currency that is known, as EUR, USD or JPY'),
});

export const payInDoor = z.strictObject({
  customer: customerId,
  key: z
    .string()
    .min(1, 'must not be empty')
    .max(200, 'must have at most 200 characters')
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters')
    .optional(),
});

/**
 * What a person has written for an amount, before it is known of which currency: `12.50`.
 * @throws InvalidInputError that names the field
 */
export function amountText(field: string, text: unknown): string {
  if (text === undefined) throw wrong(field, 'is missing');
  if (typeof text === 'string' && /^0+(\.0+)?$/.test(text)) throw wrong(field, 'must be more than zero');
  if (typeof text === 'string' && /^\d+(\.\d+)?$/.test(text)) return text;
  throw wrong(field, 'must be an amount such as 12.50, in digits and at most one point');
}

/** Minor units of such an amount. @throws InvalidInputError that names the field */
export function minorUnits(field: string, text: string, currency: string): number {
  try {
    return parseAmount(text, currency);
  } catch (error) {
    if (error instanceof InvalidAmount) throw wrong(field, error.message);
    throw error;
  }
}

/** The length of a period: `1-month`, `30-days`. @throws InvalidInputError that names the field; what is too long is not seen here */
export function spanOf(field: string, text: string | undefined): Span {
  if (text === undefined) throw wrong(field, 'is missing');
  const [, count, unit] = /^(\d{1,9})[ -]?(month|day|second)s?$/.exec(text) ?? [];
  if (count === undefined) throw wrong(field, 'must be a length such as 1-month or 30-days');
  return { [`${unit}s`]: Number(count) } as Span;
}

/** A whole number as it is typed; anything else is left as it is, for the door to refuse. */
export const numberOf = (text: unknown): unknown =>
  typeof text === 'string' && /^-?\d{1,15}$/.test(text) ? Number(text) : text;

/** What is in a file of JSON. @throws InvalidInputError that names the field, if it cannot be read */
export async function jsonFile(field: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw wrong(field, `cannot be read: ${(error as Error).message}`);
  }
}

/** Without the fields that were not given: with exactOptionalPropertyTypes, undefined is a value. */
export const given = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: Exclude<Fields[Name], undefined>;
  };

/** One field, refused. */
export const wrong = (field: string, message: string) => new InvalidInputError([{ field, message }]);
