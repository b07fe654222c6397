import { beforeAll, expect, test } from 'vitest';
import { permissionsFailureTypes as types } from '../src/index.ts';
import {
  all,
  document,
  failureOf,
  freshId,
  heldAbout,
  schema,
  sharedPermissions,
  touch,
  user,
  viewer,
} from './harness.ts';

const permissions = sharedPermissions();
const pagesOfTen = sharedPermissions({ mostPerCall: 10 });
beforeAll(() => permissions.writeSchema(schema));

const consistency = 'full';
const resourcesOf = (userId: string) =>
  ({ type: 'document', permission: 'view', subject: user(userId), consistency }) as const;
const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, number) => `${prefix}-${number}`);

test('a list of more relationships than one page is whole, each once', async () => {
  const id = freshId();
  const updates = numbered('user', 2_500).map((name) => touch(viewer(id, name)));
  await permissions.write({ updates });
  const found = await heldAbout(permissions, id);
  expect(found).toHaveLength(2_500);
  expect(new Set(found.map(({ subject }) => subject.id))).toEqual(new Set(numbered('user', 2_500)));
  await permissions.delete({ filter: { resourceType: 'document', resourceId: id } });
});

test('a list of more resources than one page is whole: direct, by a group and as the owner', async () => {
  const [prefix, ada, eve, group] = [freshId(), freshId(), freshId(), freshId()];
  const ids = numbered(prefix, 2_500);
  const grant = (id: string, index: number) => {
    if (index % 3 === 0) return viewer(id, ada);
    if (index % 3 === 1) return { ...viewer(id, ada), relation: 'owner' };
    return { ...viewer(id, ''), subject: { type: 'group', id: group, relation: 'member' } };
  };
  const member = { resource: { type: 'group', id: group }, relation: 'member', subject: user(ada) };
  await permissions.write({ updates: [...ids.map(grant), member, viewer(`${prefix}-other`, eve)].map(touch) });
  expect(new Set(await all(permissions.resources(resourcesOf(ada))))).toEqual(new Set(ids));
  expect(await all(permissions.resources(resourcesOf(eve)))).toEqual([`${prefix}-other`]);
  expect(await all(permissions.resources(resourcesOf(freshId())))).toEqual([]);
});

test.each([9, 10, 11, 20])('%i relationships in pages of ten', async (count) => {
  const id = freshId();
  await permissions.write({ updates: numbered('user', count).map((name) => touch(viewer(id, name))) });
  expect(await heldAbout(pagesOfTen, id)).toHaveLength(count);
});

test('all pages are of the moment of the first one', async () => {
  const id = freshId();
  await permissions.write({ updates: numbered('user', 25).map((name) => touch(viewer(id, name))) });
  const filter = { resourceType: 'document', resourceId: id };
  const found = [];
  for await (const relationship of pagesOfTen.relationships({ filter, consistency })) {
    if (found.length === 0) await permissions.delete({ filter });
    found.push(relationship);
  }
  expect(found).toHaveLength(25);
  expect(await heldAbout(permissions, id)).toEqual([]);
});

test('a filter matches by relation and by subject', async () => {
  const [id, other, ada] = [freshId(), freshId(), freshId()];
  const owner = { ...viewer(id, ada), relation: 'owner' };
  await permissions.write({ updates: [viewer(id, ada), owner, viewer(id, 'bob'), viewer(other, ada)].map(touch) });
  const found = (filter: object) =>
    all(permissions.relationships({ filter: { resourceType: 'document', ...filter }, consistency }));
  expect(await found({ resourceId: id, relation: 'owner' })).toEqual([owner]);
  expect(await found({ subject: { type: 'user', id: ada } })).toHaveLength(3);
  expect(await found({ resourceId: id, subject: { type: 'group' } })).toEqual([]);
});

test('a list is refused at its first item if the request is wrong', async () => {
  const wrong = { filter: { resourceType: 'Document' }, consistency } as const;
  await failureOf(all(permissions.relationships(wrong)), types.invalidArgument);
  const unknown = { ...resourcesOf('ada'), permission: 'no_such' };
  await failureOf(all(permissions.resources(unknown)), types.schemaMissing);
  expect(
    await permissions.check({ resource: document('x'), permission: 'view', subject: user('ada'), consistency }),
  ).toMatchObject({ allowed: false });
});
