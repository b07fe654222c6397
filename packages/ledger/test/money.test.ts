import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currencies, formatAmount, InvalidAmount, parseAmount } from '../src/money.ts';

describe('an amount', () => {
  it.each([
    ['12.50', 'EUR', 1250],
    ['12.5', 'EUR', 1250],
    ['12', 'EUR', 1200],
    ['0.01', 'USD', 1],
    ['0012.50', 'GBP', 1250],
    ['1000', 'JPY', 1000],
    ['1.234', 'KWD', 1234],
    ['90071992547409.91', 'EUR', Number.MAX_SAFE_INTEGER],
  ])('%s %s is %d minor units', (text, currency, minorUnits) => {
    expect(parseAmount(text, currency)).toBe(minorUnits);
  });

  it.each([
    ['', 'EUR', 'an amount such as 12.50'],
    [' 1', 'EUR', 'an amount such as 12.50'],
    ['1\n', 'EUR', 'an amount such as 12.50'],
    ['-1', 'EUR', 'an amount such as 12.50'],
    ['+1', 'EUR', 'an amount such as 12.50'],
    ['1e2', 'EUR', 'an amount such as 12.50'],
    ['1e400', 'EUR', 'an amount such as 12.50'],
    ['0x10', 'EUR', 'an amount such as 12.50'],
    ['1,50', 'EUR', 'an amount such as 12.50'],
    ['1.', 'EUR', 'an amount such as 12.50'],
    ['.5', 'EUR', 'an amount such as 12.50'],
    ['1.2.3', 'EUR', 'an amount such as 12.50'],
    ['１２', 'EUR', 'an amount such as 12.50'],
    ['١٢', 'EUR', 'an amount such as 12.50'],
    ['NaN', 'JPY', 'an amount such as 12,'],
    ['1.001', 'EUR', 'at most 2 decimals'],
    ['1.00', 'JPY', 'no decimals'],
    ['0', 'EUR', 'more than zero'],
    ['0.00', 'EUR', 'more than zero'],
    ['90071992547409.92', 'EUR', 'at most 90071992547409.91'],
    ['9'.repeat(400), 'EUR', 'at most 90071992547409.91'],
    ['1', 'XXX', 'a currency that is known'],
    ['1', 'eur', 'a currency that is known'],
    ['1', 'toString', 'a currency that is known'],
  ])('cannot be %j %s', (text, currency, reason) => {
    const parse = () => parseAmount(text, currency);
    expect(parse).toThrow(InvalidAmount);
    expect(parse).toThrow(reason);
  });

  it.each([12.5, null, undefined, {}, ['1']])('cannot be %j, which is no text', (value) => {
    expect(() => parseAmount(value as string, 'EUR')).toThrow(InvalidAmount);
  });

  it('is read as it was written', () => {
    const amounts = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(amounts, fc.constantFrom(...Object.keys(currencies)), (minorUnits, currency) => {
        expect(parseAmount(formatAmount(minorUnits, currency), currency)).toBe(minorUnits);
      }),
    );
  });

  it('is written with its sign and all decimals, or not at all', () => {
    expect(formatAmount(0, 'EUR')).toBe('0.00');
    expect(formatAmount(-5, 'EUR')).toBe('-0.05');
    expect(formatAmount(-1234, 'JPY')).toBe('-1234');
    for (const number of [1.5, Number.NaN, 2 ** 53]) expect(() => formatAmount(number, 'EUR')).toThrow(InvalidAmount);
  });
});
