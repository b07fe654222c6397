// This file is imported by workflow code: nothing that needs Node.

/** ISO 4217 codes, with the number of digits behind the point. */
export const currencies = {
  AUD: 2,
  BHD: 3,
  CAD: 2,
  CHF: 2,
  CLP: 0,
  CNY: 2,
  CZK: 2,
  DKK: 2,
  EUR: 2,
  GBP: 2,
  INR: 2,
  ISK: 0,
  JPY: 0,
  KRW: 0,
  KWD: 3,
  NOK: 2,
  PLN: 2,
  SEK: 2,
  TND: 3,
  USD: 2,
} as const;

export type Currency = keyof typeof currencies;

export const isCurrency = (code: unknown): code is Currency =>
  typeof code === 'string' && Object.hasOwn(currencies, code);

/** Text that is not an amount of money. The message says what it must be, to be put behind the name of a field. */
export class InvalidAmount extends Error {
  override name = 'InvalidAmount';
}

/**
 * Minor units of an amount as a person writes it: `parseAmount('12.50', 'EUR')` is 1250, `parseAmount('12', 'EUR')` 1200.
 *
 * ASCII digits, with a point before at most as many decimals as the currency has; nothing else, so no sign, no exponent, no
 * separators. The point is never taken for a thousands separator: `1.234` is no amount in EUR.
 * @throws InvalidAmount also for zero, for a currency that is not in `currencies`, and beyond `Number.MAX_SAFE_INTEGER`
 */
export function parseAmount(text: string, currency: string): number {
  const decimals = decimalsOf(currency);
  const match = /^(\d+)(?:\.(\d+))?$/.exec(typeof text === 'string' ? text : '');
  if (!match) {
    const example = decimals === 0 ? '12' : `12.${'5'.padEnd(decimals, '0')}`;
    throw new InvalidAmount(`must be an amount such as ${example}, in digits and at most one point`);
  }
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > decimals) {
    throw new InvalidAmount(
      `must have ${decimals === 0 ? 'no decimals' : `at most ${decimals} decimals`} in ${currency}`,
    );
  }
  const minorUnits = BigInt(whole + fraction.padEnd(decimals, '0'));
  if (minorUnits === 0n) throw new InvalidAmount('must be more than zero');
  if (minorUnits > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new InvalidAmount(`must be at most ${formatAmount(Number.MAX_SAFE_INTEGER, currency)}`);
  }
  return Number(minorUnits);
}

/**
 * What `parseAmount` reads, with all decimals: `formatAmount(1250, 'EUR')` is `12.50`, `formatAmount(-5, 'EUR')` `-0.05`.
 * @throws InvalidAmount if it is not a safe integer, or for a currency that is not in `currencies`
 */
export function formatAmount(minorUnits: number, currency: string): string {
  const decimals = decimalsOf(currency);
  if (!Number.isSafeInteger(minorUnits)) throw new InvalidAmount('must be a whole number of minor units');
  const digits = String(Math.abs(minorUnits)).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  const sign = minorUnits < 0 ? '-' : '';
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function decimalsOf(currency: string): number {
  if (!isCurrency(currency)) {
    throw new InvalidAmount(`must be in a currency that is known: ${Object.keys(currencies).join(', ')}`);
  }
  return currencies[currency];
}
