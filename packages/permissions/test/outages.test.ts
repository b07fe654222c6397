import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createPermissions,
  type Permissions,
  type PermissionsOptions,
  permissionsFailureTypes as types,
} from '../src/index.ts';
import { document, failureOf, listen, silentServer, touch, user, viewer } from './harness.ts';
import { type SpiceDbServer, startSpiceDb } from './spicedb-server.ts';

let server: SpiceDbServer;
let permissions: Permissions;
const clients: Permissions[] = [];
const clientOf = (endpoint: string, token: string, options?: PermissionsOptions) => {
  const client = createPermissions({ SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token }, options);
  clients.push(client);
  return client;
};

beforeAll(async () => {
  server = await startSpiceDb();
  permissions = clientOf(server.endpoint, server.token);
});
afterAll(async () => {
  for (const client of clients) client.close();
  await server.kill();
});

const question = { resource: document('x'), permission: 'view', subject: user('ada'), consistency: 'full' } as const;

test('a server without a schema answers a ping, and says what is missing', async () => {
  await permissions.ping();
  expect(await permissions.readSchema()).toBeUndefined();
  const error = await failureOf(permissions.check(question), types.schemaMissing);
  expect(error).toMatchObject({ retryable: false, message: expect.stringContaining('document') });
});

test('a wrong key is named, never shown, and not tried for ever', async () => {
  const wrongKey = 'a-key-of-somebody-else';
  const stranger = clientOf(server.endpoint, wrongKey);
  const grant = { updates: [touch(viewer('x', 'ada'))] };
  const calls = [() => stranger.ping(), () => stranger.check(question), () => stranger.write(grant)];
  for (const call of calls) {
    const error = await failureOf(call(), types.unauthenticated);
    expect(error.retryable).toBe(false);
    expect(error.message).toMatch(/SPICEDB_TOKEN/);
    const shown = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error.cause)}`;
    expect(shown).not.toContain(wrongKey);
    expect(shown).not.toContain(server.token);
  }
  expect(inspect(stranger, { depth: 9, showHidden: true })).not.toContain(wrongKey);
});

describe('a server that goes away', () => {
  test('while it is away, calls fail as unavailable; once it is back, they soon succeed', async () => {
    await permissions.ping();
    await server.kill();
    const started = performance.now();
    const error = await failureOf(permissions.check(question), types.unavailable);
    expect(error).toMatchObject({ retryable: true, message: expect.stringContaining(server.endpoint) });
    expect(performance.now() - started).toBeLessThan(2_000);

    // Away for so long that the waits between the client's attempts to connect would have grown to many seconds.
    let attempts = 0;
    const refusing = await listen(server.port, (socket) => {
      attempts++;
      socket.destroy();
    });
    const attempted = async () => {
      await failureOf(permissions.check(question), types.unavailable);
      return attempts;
    };
    await expect.poll(attempted, { interval: 20, timeout: 20_000 }).toBeGreaterThanOrEqual(10);
    await refusing.close();

    server = await startSpiceDb({ port: server.port });
    const back = performance.now();
    await expect.poll(() => permissions.ping().then(() => 'up', String), { interval: 20, timeout: 5_000 }).toBe('up');
    expect(performance.now() - back).toBeLessThan(2_000);
  });

  test('what never answers is given up at the time-out', async () => {
    const silent = await silentServer();
    const impatient = clientOf(silent.endpoint, 'key', { timeout: 300 });
    const started = performance.now();
    const error = await failureOf(impatient.check(question), types.unavailable);
    const took = performance.now() - started;
    expect(error.retryable).toBe(true);
    expect(took).toBeGreaterThan(290);
    expect(took).toBeLessThan(2_000);
    await silent.close();
  });

  test('a signal ends a call: a time-out as unavailable, anything else with its own reason', async () => {
    const silent = await silentServer();
    const client = clientOf(silent.endpoint, 'key', { timeout: 30_000 });
    const started = performance.now();
    await failureOf(client.check(question, { signal: AbortSignal.timeout(50) }), types.unavailable);
    const controller = new AbortController();
    const call = client.check(question, { signal: controller.signal });
    const reason = new Error('no longer wanted');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(client.check(question, { signal: controller.signal })).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(10_000);
    await silent.close();
  });
});
