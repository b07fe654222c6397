import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { count, createServices, error, type Name, requests } from './booking-service-harness.ts';

let services: Awaited<ReturnType<typeof createServices>>;
const call: typeof services.call = (...args) => services.call(...args);
const put: typeof services.put = (...args) => services.put(...args);

beforeAll(async () => {
  services = await createServices('test-booking-input');
}, 60_000);
afterAll(() => services?.stop());

describe('what is wrong with a request', () => {
  const wrong: [Name, string, Record<string, unknown>][] = [
    ['flight', 'from', { from: 'berlin' }],
    ['flight', 'from', { from: 'BER\u0000' }],
    ['flight', 'from', { from: undefined }],
    ['flight', 'to', { to: 'BER' }],
    ['flight', 'to', { to: 'ЛИС' }],
    ['flight', 'departure', { departure: '2030-02-30' }],
    ['flight', 'departure', { departure: '0000-01-01' }],
    ['flight', 'return', { return: '2030-03-29' }],
    ['flight', 'return', { return: '2030-04-02T00:00:00Z' }],
    ['flight', 'passengers', { passengers: 0 }],
    ['flight', 'passengers', { passengers: -1 }],
    ['flight', 'passengers', { passengers: 1.5 }],
    ['flight', 'passengers', { passengers: '3' }],
    ['flight', 'passengers', { passengers: 10_001 }],
    ['flight', 'class', { class: 'first' }],
    ['hotel', 'city', { city: '' }],
    ['hotel', 'arrival', { arrival: 20300330 }],
    ['hotel', 'departure', { departure: '2030-03-30' }],
    ['hotel', 'departure', { departure: '2030-05-30' }],
    ['hotel', 'guests', { guests: null }],
    ['cab', 'city', { city: 'L'.repeat(1000) }],
    ['cab', 'date', { date: '30.3.2030' }],
    ['cab', 'passengers', { passengers: Number.MAX_SAFE_INTEGER }],
  ];
  it.each(wrong)('%s: %s %j', async (name, field, change) => {
    expect(await put(name, 'wrong', { ...requests[name], ...change })).toEqual({
      status: 400,
      body: error('invalidRequest', { field }),
    });
    expect(await count(services.pools[name], 'wrong')).toEqual({ operations: 0, bookings: 0 });
  });

  it.each([
    ['is not JSON', '{', 400, error('invalidRequest', { field: 'body' })],
    ['is empty', '', 400, error('invalidRequest', { field: 'body' })],
    ['is no object', '[]', 400, error('invalidRequest', { field: 'body' })],
    [
      'has a number that no number can hold',
      '{"city":"LIS","date":"2030-03-30","passengers":1e400}',
      400,
      error('invalidRequest', { field: 'passengers' }),
    ],
    ['is too large', JSON.stringify({ city: 'x'.repeat(70_000) }), 413, error('tooLarge')],
  ])('the body %s', async (_, body, status, reply) => {
    expect(await put('cab', 'wrong', body)).toEqual({ status, body: reply });
    expect(await count(services.pools.cab, 'wrong')).toEqual({ operations: 0, bookings: 0 });
  });

  it.each(['', 'k'.repeat(201), '%00', 'a%0Ab', '%C2%85'])('the key %j', async (key) => {
    for (const method of ['PUT', 'GET', 'DELETE']) {
      const body = method === 'PUT' ? requests.cab : undefined;
      expect(await call('cab', method, `/bookings/${key}`, body)).toEqual({
        status: 400,
        body: error('invalidRequest', { field: 'key' }),
      });
    }
  });

  it('takes a key with any other character, 200 of them at most', async () => {
    const key = 'trip:1/2 é%"?#'.padEnd(200, '🚕').slice(0, 200);
    const { status, body } = await put('cab', encodeURIComponent(key));
    expect({ status, key: body.key }).toEqual({ status: 201, key });
  });

  it('is answered for unknown bookings, stock and addresses', async () => {
    expect(await call('cab', 'GET', '/bookings/unheard-of')).toEqual({ status: 404, body: error('notFound') });
    expect(await call('cab', 'GET', '/elsewhere')).toEqual({ status: 404, body: error('notFound') });
    expect(await call('cab', 'GET', '/stock/LIS/2030-02-30')).toEqual({
      status: 400,
      body: error('invalidRequest', { field: 'date' }),
    });
    expect(await call('cab', 'PUT', '/stock/LIS/2030-01-01', { capacity: -1 })).toEqual({
      status: 400,
      body: error('invalidRequest', { field: 'capacity' }),
    });
    expect((await call('cab', 'GET', '/stock/OSL/2030-01-01')).body).toMatchObject({ capacity: 40, taken: 0 });
    expect(await call('cab', 'GET', '/bookings')).toEqual({
      status: 400,
      body: error('invalidRequest', { field: 'prefix' }),
    });
  });
});
