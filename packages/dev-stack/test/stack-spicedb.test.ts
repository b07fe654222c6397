import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { serves } from '../src/stack-servers/grpc.ts';
import { stackPlaces } from '../src/stack-servers/places.ts';
import { joinOne, leaveAfterEach, pids, record } from './stack-support.ts';

leaveAfterEach();

test('SpiceDB lives while the PostgreSQL of the application is down, and comes back on its port', async () => {
  const stack = await joinOne({ need: ['postgres', 'spicedb'] });
  const where = stack.spicedb?.endpoint ?? '';
  expect(Object.keys(record(stack.name)?.servers ?? {}).sort()).toEqual(['platform-postgres', 'postgres', 'spicedb']);
  await stack.stopServer('postgres');
  expect(await serves(where)).toBe(true);
  for (const end of ['killServer', 'stopServer'] as const) {
    await stack[end]('spicedb');
    expect(await serves(where)).toBe(false);
    await stack.startServer('spicedb');
    expect(await serves(where)).toBe(true);
  }
});

test('its key and the password of its database are in no command line and no log', async () => {
  const stack = await joinOne({ need: ['spicedb'] });
  const places = stackPlaces({ stack: stack.name, ephemeral: true });
  const secrets = Object.values(JSON.parse(readFileSync(places.secrets, 'utf8')) as Record<string, string>);
  expect(secrets).toContain(stack.spicedb?.token);
  expect(secrets.length).toBeGreaterThan(2);
  const lines =
    process.platform === 'linux' ? pids(stack.name).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) : [];
  const logs = readdirSync(places.logs).map((name) => readFileSync(join(places.logs, name), 'utf8'));
  for (const secret of secrets) expect([...lines, ...logs].filter((text) => text.includes(secret))).toEqual([]);
});

test('a key that is configured is used; its role owns its own database and is nobody else', async () => {
  vi.stubEnv('SPICEDB_TOKEN', 'mine-and-long-enough');
  const stack = await joinOne({ need: ['spicedb'] });
  vi.unstubAllEnvs();
  expect(stack.spicedb?.token).toBe('mine-and-long-enough');
  const places = stackPlaces({ stack: stack.name, ephemeral: true });
  const { 'platform-postgres': password } = JSON.parse(readFileSync(places.secrets, 'utf8')) as Record<string, string>;
  const port = record(stack.name)?.servers['platform-postgres']?.ports[0];
  const admin = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' });
  await admin.connect();
  const { rows } = await admin.query(
    `SELECT rolsuper OR rolcreaterole OR rolcreatedb AS mighty FROM pg_roles WHERE rolname = 'spicedb'`,
  );
  expect(rows).toEqual([{ mighty: false }]);
  await admin.end();
});

test('what it requires is started with it, and both end together', async () => {
  const stack = await joinOne({ need: ['spicedb'] });
  expect(stack.postgres).toBeUndefined();
  const running = pids(stack.name);
  expect(running).toHaveLength(3);
  await stack.leave();
  expect(record(stack.name)).toBeUndefined();
});
