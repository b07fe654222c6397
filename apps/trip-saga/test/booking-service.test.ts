import { readFile } from 'node:fs/promises';
import { operationsTable } from '@repo/operations';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
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

  it('cannot write down that more is taken than there is, or less than nothing', async () => {
    const pool = services.pools[name];
    const stock = async () => (await pool.query('SELECT * FROM stock ORDER BY resource, date')).rows;
    await put(name, `oversold-${name}`);
    const before = await stock();
    const violation = { code: '23514', constraint: 'never_oversold' };
    await expect(pool.query('UPDATE stock SET taken = capacity + 1')).rejects.toMatchObject(violation);
    await expect(pool.query('UPDATE stock SET taken = -1')).rejects.toMatchObject(violation);
    expect(await stock()).toEqual(before);
    for (const item of items[name]) expect(await stockOf(name, item)).toMatchObject({ taken: item.quantity });
    await remove(name, `oversold-${name}`);
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
    const bookBoth = (key: string, index: number) => [
      put('flight', `cross-${key}-${index}`, index % 2 ? there : back),
      put('hotel', `nights-${key}-${index}`, {
        city: 'LIS',
        arrival: `2031-05-0${1 + (index % 5)}`,
        departure: '2031-06-28',
        guests: 1,
      }),
    ];
    const all = Array.from({ length: 40 }, (_, index) => index);
    const before = await deadlocks();
    const first = await Promise.all(all.flatMap((index) => bookBoth('first', index)));
    // What is there is cancelled while the same nights are booked.
    const second = await Promise.all(
      all.flatMap((index) => [
        remove('flight', `cross-first-${index}`),
        remove('hotel', `nights-first-${index}`),
        ...bookBoth('second', index),
      ]),
    );
    // A call that met a deadlock was made again, and its answer does not show it.
    expect(await deadlocks()).toBe(before);
    expect([...first, ...second].filter(({ status }) => ![200, 201, 422].includes(status))).toEqual([]);
  });
});

describe('locks stock in the order of resource and date, so that whoever waits for the first holds none of the others', () => {
  const flight = (day: string) => ({
    ...requests.flight,
    from: 'LIS',
    to: 'BER',
    departure: `2032-${day}`,
    return: `2032-${day}`,
  });
  const stay = { city: 'OSL', arrival: '2032-03-01', departure: '2032-03-15', guests: 2 };
  const nights = Array.from({ length: 14 }, (_, night) => ({
    resource: 'OSL',
    date: `2032-03-${String(night + 1).padStart(2, '0')}`,
  }));
  const directions = ['BER-LIS', 'LIS-BER'].map((resource) => ({ resource, date: '2032-01-01' }));
  // The order in which rows are found is not the one in which they are to be locked.
  beforeAll(async () => {
    for (const { resource, date } of nights.toReversed()) {
      await call('hotel', 'PUT', `/stock/${resource}/${date}`, { capacity: 10 });
    }
  });

  it.each([
    [
      'a booking of what nobody had before',
      'flight',
      directions,
      () => put('flight', 'order-new', flight('01-01')),
      201,
    ],
    ['a booking', 'hotel', nights, () => put('hotel', 'order', stay), 201],
    ['its cancellation', 'hotel', nights, () => remove('hotel', 'order'), 200],
  ] as const)('%s', async (_, name, [first, ...others], start, status) => {
    const holder = await services.pools[name].connect();
    const hold = async (item?: { resource: string; date: string }) => {
      const values = [item?.resource, item?.date];
      await holder.query('INSERT INTO stock VALUES ($1, $2, 10) ON CONFLICT DO NOTHING', values);
      await holder.query('SELECT FROM stock WHERE resource = $1 AND date = $2 FOR UPDATE', values);
    };
    const waiting = 'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))';
    // Sooner than a deadlock is looked for, and made an end of at the cost of the other.
    await holder.query(`BEGIN; SET LOCAL lock_timeout = '100ms'`);
    await hold(first);
    const answer = start();
    try {
      await vi.waitFor(async () => expect((await holder.query(waiting)).rowCount).toBe(1), 10_000);
      for (const item of others) await hold(item);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
      expect(await answer).toMatchObject({ status });
    }
  });
});

it('keeps its operations in the very table that @repo/operations wants', async () => {
  expect(await readFile(`${migrations}/0001_bookings.sql`, 'utf8')).toContain(operationsTable);
});

/** How many deadlocks there were in the database of these services. */
async function deadlocks(): Promise<number> {
  for (const pool of Object.values(services.pools)) {
    // A session reports what it has met now and then, or when told to: each of them, so all have to be had at once.
    const sessions = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
    await Promise.all(sessions.map((session) => session.query('SELECT pg_stat_force_next_flush()')));
    for (const session of sessions) session.release();
  }
  const select = 'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()';
  return (await services.pools.hotel.query(select)).rows[0].deadlocks;
}
