import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPermissions, type Permissions, permissionsFailureTypes as types } from '../src/index.ts';
import { document, failureOf, freshId, schema, sharedPermissions, touch, user, viewer } from './harness.ts';
import { type SpiceDbServer, startSpiceDb } from './spicedb-server.ts';

const elsewhere = sharedPermissions();
let server: SpiceDbServer;
let permissions: Permissions;

beforeAll(async () => {
  server = await startSpiceDb({ args: ['--mismatch-zed-token-behavior', 'error'] });
  permissions = createPermissions({ SPICEDB_ENDPOINT: server.endpoint, SPICEDB_TOKEN: server.token });
  await Promise.all([permissions, elsewhere].map((one) => one.writeSchema(schema)));
});
afterAll(async () => {
  permissions.close();
  await server.kill();
});

const question = (id: string) => ({ resource: document(id), permission: 'view', subject: user('ada') });

test('a token that nobody made is unusable, and full consistency is not', async () => {
  const asked = permissions.check({ ...question('x'), consistency: { atLeastAsFreshAs: 'bm90IGEgdG9rZW4=' } });
  expect(await failureOf(asked, types.tokenUnusable)).toMatchObject({ retryable: false });
  expect(await permissions.check({ ...question('x'), consistency: 'full' })).toMatchObject({ allowed: false });
});

test('a token of another kind of datastore is unusable', async () => {
  const { token } = await elsewhere.write({ updates: [touch(viewer(freshId(), 'ada'))] });
  const asked = permissions.check({ ...question('x'), consistency: { atLeastAsFreshAs: token } });
  await failureOf(asked, types.tokenUnusable);
});

test('a token from before the datastore was rebuilt is unusable', async () => {
  const { token } = await permissions.write({ updates: [touch(viewer('before', 'ada'))] });
  await server.kill();
  server = await startSpiceDb({ port: server.port, args: ['--mismatch-zed-token-behavior', 'error'] });
  await expect
    .poll(
      () =>
        permissions.ping().then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    )
    .toBe(true);
  await permissions.writeSchema(schema);
  const asked = permissions.check({ ...question('before'), consistency: { atLeastAsFreshAs: token } });
  await failureOf(asked, types.tokenUnusable);
  expect(await permissions.check({ ...question('before'), consistency: 'full' })).toMatchObject({ allowed: false });
});

test('a server as it comes takes a token of another datastore for full consistency', async () => {
  const stock = await startSpiceDb();
  const there = createPermissions({ SPICEDB_ENDPOINT: stock.endpoint, SPICEDB_TOKEN: stock.token });
  try {
    await there.writeSchema(schema);
    await there.write({ updates: [touch(viewer('x', 'ada'))] });
    const { token } = await permissions.write({ updates: [touch(viewer('y', 'ada'))] });
    const answer = await there.check({ ...question('x'), consistency: { atLeastAsFreshAs: token } });
    expect(answer).toMatchObject({ allowed: true });
  } finally {
    there.close();
    await stock.kill();
  }
});
