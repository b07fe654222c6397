import { InvalidAmount, isCurrency, parseAmount } from '@repo/ledger/money';
import { type FieldError, fieldErrors, InvalidInputError } from '@repo/worker-kit';
import { z } from 'zod';

/** What is typed at the command line, checked before anything is asked of anybody. */

const account = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits, ".", "_" and "-", a letter or digit first',
  );
const currency = z.string().refine(isCurrency, 'must be a currency that is known, as EUR, USD or JPY');
const key = z
  .string()
  .min(1, 'must not be empty')
  .max(200, 'must have at most 200 characters')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');

export const openDoor = z.strictObject({ account, currency, overdraft: z.int().optional() });
export const payInDoor = z.strictObject({ account, amount: z.int(), currency, key: key.optional() });
export const accountDoor = z.strictObject({ account });

/** A day, or a moment with its offset, as the ledger writes it. */
const moment = z
  .union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    'must be a day or a time, as 2027-03-01 or 2027-03-01T12:00:00Z',
  )
  .transform((text) => new Date(text).toISOString());
export const statementDoor = z.strictObject({ account, from: moment.optional(), to: moment.optional() });

/**
 * Checks the options of a command in which some fields are amounts as people write them: `12.50` in EUR becomes 1250.
 * @throws InvalidInputError with all that is wrong, by field
 */
export function parseMoney<Schema extends z.ZodType>(
  door: Schema,
  options: Record<string, unknown>,
  amounts: readonly string[] = ['amount'],
): z.output<Schema> {
  const input = { ...options };
  const wrong: FieldError[] = [];
  for (const field of amounts) {
    const text = input[field];
    if (typeof text !== 'string' || !isCurrency(options.currency)) continue;
    try {
      input[field] = parseAmount(text, options.currency);
    } catch (error) {
      if (!(error instanceof InvalidAmount)) throw error;
      wrong.push({ field, message: error.message });
      input[field] = 1;
    }
  }
  const parsed = door.safeParse(input);
  // Text that could not be read for want of a currency is no fault of its own.
  const unread = (field: string) => amounts.includes(field) && typeof input[field] === 'string';
  if (!parsed.success) wrong.push(...fieldErrors(parsed.error, input).filter(({ field }) => !unread(field)));
  if (parsed.success && wrong.length === 0) return parsed.data;
  throw new InvalidInputError(wrong);
}
