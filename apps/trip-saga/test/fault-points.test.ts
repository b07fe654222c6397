import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createPool } from '@repo/operations';
import { postgresUrl } from '@repo/testing';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../src/extras/booking-service/app.ts';
import { cab } from '../src/extras/booking-service/cab.ts';
import { FaultPoints } from '../src/extras/booking-service/fault-points.ts';
import { provisionServices } from '../src/extras/local-services.ts';

const request = { city: 'LIS', date: '2030-03-30', passengers: 3 };

let pool: Pool;
let servers: Server[];
let [faulty, plain] = ['', ''];

beforeAll(async () => {
  const urls = await provisionServices(postgresUrl(), async (name) => `secret of ${name}`);
  pool = createPool({ connectionString: urls.cab });
  const serve = async (faults?: FaultPoints) => {
    const server = createServer(getRequestListener(createApp(cab, pool, faults).fetch)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  servers = [await serve(new FaultPoints()), await serve()];
  [faulty, plain] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`) as [
    string,
    string,
  ];
}, 60_000);
afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections();
  await pool.end();
});

async function call(base: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${base}${path}`, { method, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

it.each([
  ['before-transaction', 404],
  ['after-commit', 200],
  ['before-return', 200],
])('loses one connection at %s: what was done by then is done', async (name, found) => {
  const path = `/bookings/${process.pid}-${name}`;
  expect(await call(faulty, 'PUT', `/fault-points/${name}`, { calls: 1 })).toMatchObject({ status: 200 });
  await expect(call(faulty, 'PUT', path, request)).rejects.toThrow('fetch failed');
  expect(await call(faulty, 'GET', path)).toMatchObject({ status: found });
  const again = await call(faulty, 'PUT', path, request);
  expect(again).toMatchObject({ status: found === 404 ? 201 : 200, body: { status: 'booked' } });
});

it('refuses to cancel one booking for as long as it is told to', async () => {
  const [key, other] = [`${process.pid}-locked`, `${process.pid}-other`];
  await call(faulty, 'PUT', `/bookings/${key}`, request);
  await call(faulty, 'PUT', `/refused-cancellations/${key}`, { on: true });
  const refused = { status: 409, body: { error: { type: 'cancellationRefused' } } };
  expect(await call(faulty, 'DELETE', `/bookings/${key}`)).toMatchObject(refused);
  expect(await call(faulty, 'GET', `/bookings/${key}`)).toMatchObject({ body: { status: 'booked' } });
  expect(await call(faulty, 'DELETE', `/bookings/${other}`)).toMatchObject({ status: 200 });
  await call(faulty, 'PUT', `/refused-cancellations/${key}`, { on: false });
  expect(await call(faulty, 'DELETE', `/bookings/${key}`)).toMatchObject({ status: 200, body: { wasBooked: true } });
});

it.each([
  ['/fault-points/nowhere', { calls: 1 }, 'name'],
  ['/fault-points/after-commit', { calls: -1 }, 'calls'],
  ['/fault-points/after-commit', undefined, 'body'],
  ['/refused-cancellations/x', { on: 'yes' }, 'on'],
])('refuses %s with %j', async (path, body, field) => {
  const refused = { status: 400, body: { error: { type: 'invalidRequest', field } } };
  expect(await call(faulty, 'PUT', path, body)).toMatchObject(refused);
});

it('has none of this without the flag', async () => {
  for (const path of ['/fault-points/after-commit', '/refused-cancellations/x']) {
    const missing = { status: 404, body: { error: { type: 'notFound' } } };
    expect(await call(plain, 'PUT', path, { calls: 1 })).toMatchObject(missing);
  }
  expect(await call(plain, 'PUT', `/bookings/${process.pid}-plain`, request)).toMatchObject({ status: 201 });
});
