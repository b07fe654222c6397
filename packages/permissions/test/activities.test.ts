import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createPermissions,
  createPermissionsActivities,
  toFailure,
  permissionsFailureTypes as types,
} from '../src/index.ts';
import {
  document,
  freshId,
  heldAbout,
  schema,
  sharedPermissions,
  silentServer,
  touch,
  user,
  viewer,
} from './harness.ts';

const permissions = sharedPermissions();
const { writeRelationships, deleteRelationships, checkPermission, listResources } =
  createPermissionsActivities(permissions);
const nobody = createPermissions({ SPICEDB_ENDPOINT: '127.0.0.1:1', SPICEDB_TOKEN: 'key' });
beforeAll(() => permissions.writeSchema(schema));
afterAll(() => nobody.close());

/** Runs it as the worker does: with the time that its activity has, and a signal for its cancellation. */
function asActivity<Reply>(
  run: () => Promise<Reply>,
  startToCloseTimeoutMs = 10_000,
  cancelled = new AbortController(),
) {
  const context = { info: { startToCloseTimeoutMs }, cancellationSignal: cancelled.signal };
  return asyncLocalStorage.run(context as unknown as Context, run);
}

async function failureOfActivity(
  run: () => Promise<unknown>,
  startToCloseTimeoutMs?: number,
): Promise<ApplicationFailure> {
  const error = await asActivity(run, startToCloseTimeoutMs).then(
    (answer) => expect.unreachable(`should have failed, and answered ${JSON.stringify(answer)}`),
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(ApplicationFailure);
  return error as ApplicationFailure;
}

const full = { consistency: 'full' } as const;

test('each does what it says, and the same when it runs again', async () => {
  const [id, ada] = [freshId(), freshId()];
  const question = { resource: document(id), permission: 'view', subject: user(ada) };
  for (let run = 0; run < 2; run++) {
    const { token } = await asActivity(() => writeRelationships({ updates: [touch(viewer(id, ada))] }));
    const fresh = { ...question, consistency: { atLeastAsFreshAs: token } };
    expect(await asActivity(() => checkPermission(fresh))).toMatchObject({ allowed: true });
    expect(await heldAbout(permissions, id)).toEqual([viewer(id, ada)]);
  }
  for (let run = 0; run < 2; run++) {
    await asActivity(() => deleteRelationships({ filter: { resourceType: 'document', resourceId: id } }));
    expect(await asActivity(() => checkPermission({ ...question, ...full }))).toMatchObject({ allowed: false });
    expect(await heldAbout(permissions, id)).toEqual([]);
  }
});

test('a list has an end, and says whether it is all', async () => {
  const ada = freshId();
  const ids = Array.from({ length: 5 }, freshId);
  await permissions.write({ updates: ids.map((id) => touch(viewer(id, ada))) });
  const list = { type: 'document', permission: 'view', subject: user(ada), ...full };
  const whole = await asActivity(() => listResources(list));
  expect({ ...whole, ids: whole.ids.sort() }).toEqual({ ids: [...ids].sort(), complete: true });
  expect(await asActivity(() => listResources({ ...list, limit: 5 }))).toMatchObject({ complete: true });
  const some = await asActivity(() => listResources({ ...list, limit: 4 }));
  expect(some).toEqual({ ids: expect.toSatisfy((found: string[]) => found.length === 4), complete: false });
  for (const limit of [0, -1, 1_001, 1.5, Number.NaN]) {
    expect(await failureOfActivity(() => listResources({ ...list, limit }))).toMatchObject({
      type: types.invalidArgument,
    });
  }
});

test('a refusal is not retried, and does not fill the log', async () => {
  const failure = await failureOfActivity(() => writeRelationships({ updates: [touch(viewer('a:b', 'ada'))] }));
  expect(failure).toMatchObject({
    type: types.invalidArgument,
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
    message: expect.stringContaining('updates.0.relationship.resource.id'),
  });
  expect(failure.cause).toMatchObject({ name: 'PermissionsError' });
});

test('a server that is not there is worth another attempt, and is seen in the log', async () => {
  const elsewhere = createPermissionsActivities(nobody);
  const failure = await failureOfActivity(() => elsewhere.writeRelationships({ updates: [touch(viewer('a', 'ada'))] }));
  expect(failure).toMatchObject({ type: types.unavailable, nonRetryable: false });
  expect(failure.category).not.toBe(ApplicationFailureCategory.BENIGN);
});

test('a call is given up before its activity is', async () => {
  const silent = await silentServer();
  const client = createPermissions({ SPICEDB_ENDPOINT: silent.endpoint, SPICEDB_TOKEN: 'key' });
  const question = { resource: document('x'), permission: 'view', subject: user('ada'), ...full };
  const started = performance.now();
  const failure = await failureOfActivity(() => createPermissionsActivities(client).checkPermission(question), 1_000);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(failure).toMatchObject({ type: types.unavailable, nonRetryable: false });
  client.close();
  await silent.close();
});

test('a cancelled activity ends with the reason of its cancellation', async () => {
  const cancelled = new AbortController();
  const reason = new Error('cancelled by the test');
  const id = freshId();
  const run = asActivity(
    () => {
      const write = writeRelationships({ updates: [touch(viewer(id, 'ada'))] });
      cancelled.abort(reason);
      return write;
    },
    10_000,
    cancelled,
  );
  await expect(run).rejects.toBe(reason);
});

test('what is no PermissionsError passes as it is', () => {
  const bug = new TypeError('a bug');
  expect(toFailure(bug)).toBe(bug);
});
