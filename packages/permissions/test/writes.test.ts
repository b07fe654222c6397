import { beforeAll, describe, expect, test } from 'vitest';
import { permissionsFailureTypes as types } from '../src/index.ts';
import { document, failureOf, freshId, heldAbout, schema, sharedPermissions, touch, user, viewer } from './harness.ts';

const permissions = sharedPermissions();
/** Thousands of relationships at once take their time on a busy machine. */
const patient = sharedPermissions({ timeout: 30_000 });
const inChunksOfTen = sharedPermissions({ mostPerCall: 10 });
beforeAll(() => permissions.writeSchema(schema));

const full = { consistency: 'full' } as const;
const ofDocument = (resourceId: string) => ({ resourceType: 'document', resourceId });
const mayView = (documentId: string, userId: string) =>
  permissions.check({ resource: document(documentId), permission: 'view', subject: user(userId), ...full });

describe('write', () => {
  test('what is written is held, and allowed', async () => {
    const id = freshId();
    await permissions.write({ updates: [touch(viewer(id, 'ada')), touch(viewer(id, 'bob'))] });
    expect(await heldAbout(permissions, id)).toEqual([viewer(id, 'ada'), viewer(id, 'bob')]);
    expect(await mayView(id, 'ada')).toMatchObject({ allowed: true });
    expect(await mayView(id, 'eve')).toMatchObject({ allowed: false });
  });

  test('a set of subjects is written, held and followed', async () => {
    const [id, group] = [freshId(), freshId()];
    const members = { ...viewer(id, ''), subject: { type: 'group', id: group, relation: 'member' } };
    const member = { resource: { type: 'group', id: group }, relation: 'member', subject: user('ada') };
    await permissions.write({ updates: [touch(members), touch(member)] });
    expect(await heldAbout(permissions, id)).toEqual([members]);
    expect(await mayView(id, 'ada')).toMatchObject({ allowed: true });
  });

  test('a check as fresh as the token of a write sees it, and as the token of a delete sees that', async () => {
    const id = freshId();
    const question = { resource: document(id), permission: 'view', subject: user('ada') };
    const { token } = await permissions.write({ updates: [touch(viewer(id, 'ada'))] });
    expect(await permissions.check({ ...question, consistency: { atLeastAsFreshAs: token } })).toMatchObject({
      allowed: true,
    });
    const deleted = await permissions.delete({ filter: ofDocument(id) });
    const answer = await permissions.check({ ...question, consistency: { atLeastAsFreshAs: deleted.token } });
    expect(answer).toEqual({ allowed: false, token: expect.stringMatching(/./) });
  });

  test('touch and delete may be repeated', async () => {
    const id = freshId();
    const grant = { updates: [touch(viewer(id, 'ada'))] };
    await permissions.write(grant);
    await permissions.write(grant);
    expect(await heldAbout(permissions, id)).toEqual([viewer(id, 'ada')]);
    const revoke = { updates: [{ operation: 'delete' as const, relationship: viewer(id, 'ada') }] };
    await permissions.write(revoke);
    await permissions.write(revoke);
    expect(await heldAbout(permissions, id)).toEqual([]);
  });

  test('create of what is there is refused, with all that was to be written with it', async () => {
    const id = freshId();
    const create = { operation: 'create' as const, relationship: viewer(id, 'ada') };
    await permissions.write({ updates: [create] });
    const again = permissions.write({ updates: [touch(viewer(id, 'bob')), create] });
    expect(await failureOf(again, types.alreadyExists)).toMatchObject({ retryable: false });
    expect(await heldAbout(permissions, id)).toEqual([viewer(id, 'ada')]);
  });

  test('a precondition decides over the whole write', async () => {
    const id = freshId();
    const adaIsThere = { ...ofDocument(id), relation: 'viewer', subject: { type: 'user', id: 'ada' } };
    const updates = [touch(viewer(id, 'bob'))];
    const early = permissions.write({ updates, preconditions: [{ must: 'match', filter: adaIsThere }] });
    expect(await failureOf(early, types.preconditionFailed)).toMatchObject({ retryable: false });
    expect(await heldAbout(permissions, id)).toEqual([]);

    await permissions.write({
      updates: [touch(viewer(id, 'ada'))],
      preconditions: [{ must: 'not-match', filter: adaIsThere }],
    });
    await permissions.write({ updates, preconditions: [{ must: 'match', filter: adaIsThere }] });
    expect(await heldAbout(permissions, id)).toEqual([viewer(id, 'ada'), viewer(id, 'bob')]);
  });

  test('more updates than one call takes are all written', async () => {
    const id = freshId();
    await patient.write({ updates: users(2_001).map((name) => touch(viewer(id, name))) });
    expect((await heldAbout(patient, id)).map(({ subject }) => subject.id)).toEqual(users(2_001));
    await patient.delete({ filter: ofDocument(id) });
    expect(await heldAbout(patient, id)).toEqual([]);
  });

  test('more updates than one call takes are refused with a precondition, or if they cannot be repeated', async () => {
    const id = freshId();
    const updates = users(11).map((name) => touch(viewer(id, name)));
    const preconditions = [{ must: 'not-match' as const, filter: ofDocument(id) }];
    const guarded = await failureOf(inChunksOfTen.write({ updates, preconditions }), types.invalidArgument);
    expect(guarded.message).toMatch(/^preconditions: .* more than 10 /);
    const created = updates.map(({ relationship }) => ({ operation: 'create' as const, relationship }));
    expect((await failureOf(inChunksOfTen.write({ updates: created }), types.invalidArgument)).message).toMatch(
      /^updates: /,
    );
    expect(await heldAbout(permissions, id)).toEqual([]);
    await inChunksOfTen.write({ updates: updates.slice(1), preconditions });
    expect(await heldAbout(permissions, id)).toHaveLength(10);
  });
});

describe('delete', () => {
  test('takes what matches and nothing else, and may be repeated', async () => {
    const [id, other] = [freshId(), freshId()];
    const owner = { ...viewer(id, 'ada'), relation: 'owner' };
    await permissions.write({
      updates: [viewer(id, 'ada'), viewer(id, 'bob'), owner, viewer(other, 'bob')].map(touch),
    });
    const filter = { ...ofDocument(id), relation: 'viewer', subject: { type: 'user', id: 'bob' } };
    await permissions.delete({ filter });
    await permissions.delete({ filter });
    expect(await heldAbout(permissions, id)).toHaveLength(2);
    expect(await heldAbout(permissions, other)).toEqual([viewer(other, 'bob')]);
  });

  test('goes on chunk by chunk until nothing matches', async () => {
    const id = freshId();
    await permissions.write({ updates: users(25).map((name) => touch(viewer(id, name))) });
    const { token } = await inChunksOfTen.delete({ filter: ofDocument(id) });
    expect(token).not.toBe('');
    expect(await heldAbout(permissions, id)).toEqual([]);
  });

  test('with a precondition it is all or nothing', async () => {
    const [id, guard] = [freshId(), freshId()];
    await permissions.write({ updates: users(11).map((name) => touch(viewer(id, name))) });
    const guarded = { filter: ofDocument(id), preconditions: [{ must: 'match' as const, filter: ofDocument(guard) }] };
    await failureOf(permissions.delete(guarded), types.preconditionFailed);
    await permissions.write({ updates: [touch(viewer(guard, 'ada'))] });
    await failureOf(inChunksOfTen.delete(guarded), types.invalidArgument);
    expect(await heldAbout(permissions, id)).toHaveLength(11);
    await permissions.delete(guarded);
    expect(await heldAbout(permissions, id)).toEqual([]);
  });
});

/** So many different names, in the order in which they are compared. */
const users = (count: number) =>
  Array.from({ length: count }, (_, number) => `user-${String(number).padStart(5, '0')}`);
