import { readFile } from 'node:fs/promises';
import { operationsTable } from '@repo/operations';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Item } from '../src/extras/booking-service/requests.ts';
import {
  count,
  createServices,
  error,
  imbalance,
  migrations,
  type Name,
  names,
  requests,
} from './booking-service-harness.ts';

const items: Record<Name, Item[]> = {
  flight: [
    { resource: 'BER-LIS', date: '2030-03-30', quantity: 3 },
    { resource: 'LIS-BER', date: '2030-04-02', quantity: 3 },
  ],
  // Clocks go forward on the 31st in both cities; there are three nights all the same.
  hotel: ['2030-03-30', '2030-03-31', '2030-04-01'].map((date) => ({ resource: 'LIS', date, quantity: 2 })),
  cab: [{ resource: 'LIS', date: '2030-03-30', quantity: 1 }],
};

let services: Awaited<ReturnType<typeof createServices>>;
const call: typeof services.call = (...args) => services.call(...args);
const put: typeof services.put = (...args) => services.put(...args);
const remove: typeof services.remove = (...args) => services.remove(...args);
const stockOf: typeof services.stockOf = (...args) => services.stockOf(...args);

beforeAll(async () => {
  services = await createServices('test-booking-service');
}, 60_000);
afterAll(() => services?.stop());
afterEach(async () => {
  for (const name of names) expect(await imbalance(services.pools[name])).toEqual([]);
});

describe.each(names)('%s', (name) => {
  it('books once, replays, refuses another request, cancels once and never books that key again', async () => {
    const key = `life-${name}`;
    const booking = {
      key,
      confirmation: expect.stringMatching(/^[A-Z]+-[0-9A-F]{10}$/),
      status: 'booked',
      items: items[name],
    };
    const first = await put(name, key);
    expect(first).toEqual({ status: 201, body: booking });
    expect(await put(name, key)).toEqual({ status: 200, body: first.body });
    expect(await put(name, key, { ...requests[name], city: 'OSL', to: 'OSL' })).toMatchObject({ status: 400 });
    const other = name === 'hotel' ? { ...requests.hotel, guests: 1 } : { ...requests[name], passengers: 1 };
    expect(await put(name, key, other)).toEqual({ status: 409, body: error('bookingMismatch') });
    expect(await call(name, 'GET', `/bookings/${key}`)).toEqual({ status: 200, body: first.body });
    for (const item of items[name]) expect(await stockOf(name, item)).toMatchObject({ taken: item.quantity });

    const cancelled = { status: 200, body: { key, status: 'cancelled', wasBooked: true } };
    expect(await remove(name, key)).toEqual(cancelled);
    expect(await remove(name, key)).toEqual(cancelled);
    expect(await put(name, key)).toEqual({ status: 410, body: error('bookingCancelled') });
    expect((await call(name, 'GET', `/bookings/${key}`)).body).toEqual({ ...first.body, status: 'cancelled' });
    for (const item of items[name]) expect(await stockOf(name, item)).toMatchObject({ taken: 0 });
    expect(await count(services.pools[name], key)).toEqual({ operations: 1, bookings: 1 });
  });

  it('refuses a booking that comes after its cancellation', async () => {
    const key = `late-${name}`;
    const cancelled = { status: 200, body: { key, status: 'cancelled', wasBooked: false } };
    expect(await remove(name, key)).toEqual(cancelled);
    expect(await remove(name, key)).toEqual(cancelled);
    expect(await put(name, key)).toEqual({ status: 410, body: error('bookingCancelled') });
    expect(await call(name, 'GET', `/bookings/${key}`)).toEqual({ status: 410, body: error('bookingCancelled') });
    expect(await count(services.pools[name], key)).toEqual({ operations: 1, bookings: 0 });
  });

  it('keeps the refusal when sold out, although there is room later', async () => {
    const [item] = items[name].slice(-1);
    const path = `/stock/${item?.resource}/${item?.date}`;
    await call(name, 'PUT', path, { capacity: 0 });
    const refused = await put(name, `sold-out-${name}`);
    expect(refused).toEqual({
      status: 422,
      body: error('soldOut', { details: { ...item, quantity: undefined, wanted: item?.quantity, left: 0 } }),
    });
    expect(await call(name, 'PUT', path, { capacity: 500 })).toMatchObject({
      status: 200,
      body: { capacity: 500, taken: 0 },
    });
    expect(await put(name, `sold-out-${name}`)).toEqual(refused);
    expect(await call(name, 'GET', `/bookings/sold-out-${name}`)).toEqual(refused);
    for (const each of items[name]) expect(await stockOf(name, each)).toMatchObject({ taken: 0 });
    expect(await remove(name, `sold-out-${name}`)).toMatchObject({ status: 200, body: { wasBooked: false } });
    expect(await put(name, `sold-out-${name}`)).toMatchObject({ status: 410 });
  });

  it('makes one booking of 20 equal calls at once', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => put(name, `crowd-${name}`)));
    expect(results.map(({ status }) => status).sort((a, b) => a - b)).toEqual([...Array(19).fill(200), 201]);
    for (const { body } of results) expect(body).toEqual(results[0]?.body);
    for (const item of items[name]) expect(await stockOf(name, item)).toMatchObject({ taken: item.quantity });
    await remove(name, `crowd-${name}`);
  });

  it('sees no other schema', async () => {
    const other = name === 'cab' ? 'flight' : 'cab';
    await expect(services.pools[name].query(`SELECT * FROM ${other}.bookings`)).rejects.toMatchObject({
      code: '42501',
    });
    await expect(services.pools[name].query('DROP TABLE bookings')).rejects.toMatchObject({ code: '42501' });
  });
});

describe('crowds', () => {
  it('sells exactly 50 of 50 seats to 200 who want one', async () => {
    const request = { ...requests.flight, departure: '2031-01-01', return: '2031-01-02', passengers: 1 };
    await call('flight', 'PUT', '/stock/LIS-BER/2031-01-02', { capacity: 50 });
    // On a busy machine some wait too long for a connection. They ask again, as every caller does.
    const buy = async (key: string): ReturnType<typeof put> => {
      const answer = await put('flight', key, request);
      return answer.status === 503 ? buy(key) : answer;
    };
    const all = await Promise.all(Array.from({ length: 200 }, (_, index) => buy(`seat-${index}`)));
    expect(all.filter(({ status }) => status === 201)).toHaveLength(50);
    expect(all.filter(({ status, body }) => status === 422 && body.error.type === 'soldOut')).toHaveLength(150);
    expect((await call('flight', 'GET', '/stock/LIS-BER/2031-01-02')).body).toMatchObject({ capacity: 50, taken: 50 });
    expect((await call('flight', 'GET', '/stock/BER-LIS/2031-01-01')).body).toMatchObject({ capacity: 180, taken: 50 });
    expect((await call('flight', 'GET', '/bookings?prefix=seat-')).body.bookings).toHaveLength(50);
    expect(await call('flight', 'PUT', '/stock/LIS-BER/2031-01-02', { capacity: 49 })).toEqual({
      status: 409,
      body: error('capacityTaken'),
    });
  });

  it('books and cancels stays with nights in common, in both directions at once, without a deadlock', async () => {
    const there = { ...requests.flight, departure: '2031-05-01', return: '2031-05-01', passengers: 1 };
    const back = { ...there, from: 'LIS', to: 'BER' };
    const calls = Array.from({ length: 60 }, (_, index) => {
      const arrival = `2031-05-0${1 + (index % 5)}`;
      const stay = { city: 'LIS', arrival, departure: '2031-05-20', guests: 1 };
      return [
        put('flight', `cross-${index}`, index % 2 ? there : back),
        put('hotel', `nights-${index}`, stay),
        remove('hotel', `nights-${index - 10}`),
      ];
    });
    const results = await Promise.all(calls.flat());
    expect(results.filter(({ status }) => ![200, 201, 410, 422].includes(status))).toEqual([]);
  });
});

it('keeps its operations in the very table that @repo/operations wants', async () => {
  expect(await readFile(`${migrations}/0001_bookings.sql`, 'utf8')).toContain(operationsTable);
});
