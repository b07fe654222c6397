import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bundledProgram, provisionDatabase, type Stack } from '@repo/dev-stack';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { joinPostgres, migrations } from './booking-service-harness.ts';

vi.setConfig({ testTimeout: 20_000 });

// As `start` runs it.
const program = await bundledProgram(fileURLToPath(new URL('../src/extras/booking-service/main.ts', import.meta.url)));
const request = { city: 'LIS', date: '2030-03-30', passengers: 3 };

let url: string;
let stack: Stack;
let children: ChildProcess[] = [];

beforeAll(async () => {
  const joined = await joinPostgres('test-booking-process');
  stack = joined.stack;
  const schemas = [{ schema: 'cab', role: 'process_cab', password: 'secret', migrations }];
  const urls = await provisionDatabase({ adminUrl: joined.adminUrl, database: 'booking_process_test', schemas });
  url = urls.process_cab ?? '';
}, 60_000);
afterEach(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  children = [];
});
afterAll(() => stack?.leave());

function run(environment: Record<string, string>, name = 'cab') {
  const child = spawn(process.execPath, [program, name], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(String(data)));
  return { child, output, exit: once(child, 'exit').then(([code]) => code as number) };
}

async function serve(databaseUrl = url) {
  const running = run({ DATABASE_URL: databaseUrl });
  const [{ listening }] = await once(running.child, 'message');
  return { ...running, port: listening, base: `http://127.0.0.1:${listening}` };
}

async function call(base: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${base}${path}`, { method, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

/** Books while the stock is locked; `busy` is the answer, which comes after `unlock`. */
async function bookBehindLock(base: string, key: string, city: string) {
  const [locker, watcher] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  await locker.connect();
  await watcher.connect();
  await locker.query('BEGIN; LOCK TABLE stock IN SHARE MODE');
  const busy = call(base, 'PUT', `/bookings/${key}`, { ...request, city });
  const waiting = `SELECT FROM pg_stat_activity WHERE application_name = 'cab-service' AND wait_event_type = 'Lock'`;
  await expect.poll(async () => (await watcher.query(waiting)).rowCount, { timeout: 5_000 }).toBe(1);
  const unlock = async () => {
    await locker.end();
    await watcher.end();
  };
  return { busy, watcher, unlock };
}

it('tells its parent its port, prints one line, answers on loopback only, and exits when its parent lets go', async () => {
  const { child, exit, output, base, port } = await serve();
  expect(await call(base, 'GET', '/healthz')).toEqual({ status: 200, body: { service: 'cab', status: 'ok' } });
  expect(await call(base, 'PUT', '/bookings/first', request)).toMatchObject({ status: 201 });
  await expect(fetch(`http://[::1]:${port}/healthz`)).rejects.toMatchObject({
    cause: { code: expect.stringMatching(/^(ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT)$/) },
  });
  expect(output.join('')).toBe(`cab service listens on ${base}\n`);
  child.disconnect();
  expect(await exit).toBe(0);
});

it('does not outlive a parent that died before it served', async () => {
  const { child, exit } = run({ DATABASE_URL: url });
  child.disconnect();
  expect(await exit).toBe(0);
});

it('answers 503 while PostgreSQL is away, and recovers by itself', async () => {
  await stack.stopServer('postgres');
  const { exit, child, base } = await serve();
  const unavailable = { status: 503, body: { error: { type: 'unavailable', message: expect.any(String) } } };
  expect(await call(base, 'PUT', '/bookings/patient', request)).toEqual(unavailable);
  expect(await call(base, 'GET', '/healthz')).toMatchObject({
    body: { error: { message: expect.stringMatching(/^No connection to the database: connect ECONNREFUSED/) } },
  });
  await stack.startServer('postgres');
  expect(await call(base, 'PUT', '/bookings/patient', request)).toMatchObject({ status: 201 });
  for (const end of [stack.stopServer, stack.killServer]) {
    await end('postgres');
    const calls = [
      ['GET', '/healthz'],
      ['DELETE', '/bookings/patient'],
      ['GET', '/stock/LIS/2030-03-30'],
    ] as const;
    for (const [method, path] of calls) expect(await call(base, method, path)).toEqual(unavailable);
    await stack.startServer('postgres');
    expect(await call(base, 'PUT', '/bookings/patient', request)).toMatchObject({ status: 200 });
  }
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});

it('survives a server that ends all of its connections, idle and busy', async () => {
  const { base, child } = await serve();
  const { busy, watcher, unlock } = await bookBehindLock(base, 'ended', 'OSL');
  await watcher.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cab-service'`);
  expect(await busy).toMatchObject({ status: 503, body: { error: { type: 'unavailable' } } });
  await unlock();
  expect(await call(base, 'PUT', '/bookings/ended', { ...request, city: 'OSL' })).toMatchObject({ status: 201 });
  expect(await call(base, 'GET', '/stock/OSL/2030-03-30')).toMatchObject({ status: 200, body: { taken: 1 } });
  expect(child.exitCode).toBeNull();
});

it('finishes what it has begun when it is told to stop', async () => {
  const { base, child, exit } = await serve();
  const { busy, unlock } = await bookBehindLock(base, 'draining', 'PAR');
  child.kill('SIGTERM');
  await expect
    .poll(() =>
      fetch(`${base}/healthz`).then(
        () => 'open',
        () => 'closed',
      ),
    )
    .toBe('closed');
  await unlock();
  expect(await busy).toMatchObject({ status: 201, body: { key: 'draining', status: 'booked' } });
  expect(await exit).toBe(0);
});

it.each([
  ['no service', 'bus', { DATABASE_URL: 'postgres://x' }, 'the first argument must be flight, hotel or cab\n'],
  ['no database', 'cab', {}, 'DATABASE_URL must be a postgres:// URL\n'],
  [
    'a wrong port',
    'cab',
    { DATABASE_URL: 'postgres://x', PORT: '70000' },
    'PORT must be a whole number from 0 to 65535\n',
  ],
])('says what is wrong with its configuration: %s', async (_, name, environment, message) => {
  const { exit, output } = run(environment as Record<string, string>, name);
  expect(await exit).toBe(1);
  expect(output.join('')).toBe(message);
});
