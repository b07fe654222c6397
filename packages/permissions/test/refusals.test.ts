import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createPermissions,
  objectId,
  type Permissions,
  type RelationshipFilter,
  permissionsFailureTypes as types,
} from '../src/index.ts';
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
beforeAll(() => permissions.writeSchema(schema));

/** Where nothing listens: what is refused here was refused before anybody was asked. */
const nobody = createPermissions({ SPICEDB_ENDPOINT: '127.0.0.1:1', SPICEDB_TOKEN: 'key' });
afterAll(() => nobody.close());

const good = ['a', 'A-1_b', '550e8400-e29b-41d4-a716-446655440000', 'a/b|c=d+e', '-', 'x'.repeat(1024)];
const bad = {
  empty: '',
  'longer than 1,024 characters': 'x'.repeat(2_000),
  space: 'a b',
  'space around': ' ada ',
  at: 'ada@example.com',
  wildcard: '*',
  'star inside': 'a*',
  colon: 'a:b',
  hash: 'a#b',
  dot: 'a.b',
  control: 'a\u0000b',
  'line break at the end': 'a\n',
  'not Latin': 'Ада',
  emoji: '🦀',
  'not a string': 7 as unknown as string,
};

describe('ids', () => {
  test.each(good)('%s is held as it is', async (id) => {
    expect(objectId.parse(id)).toBe(id);
    await permissions.write({ updates: [touch(viewer(id, id))] });
    expect(await heldAbout(permissions, id)).toEqual([viewer(id, id)]);
    const question = { resource: document(id), permission: 'view', subject: user(id), consistency: 'full' } as const;
    expect(await permissions.check(question)).toMatchObject({ allowed: true });
    await permissions.delete({ filter: { resourceType: 'document', resourceId: id } });
  });

  test.each(Object.entries(bad))('%s is refused before the server is asked', async (_, id) => {
    expect(objectId.safeParse(id).success).toBe(false);
    const question = { permission: 'view', consistency: 'full' } as const;
    const filter = { resourceType: 'document', resourceId: id };
    const calls = [
      () => nobody.write({ updates: [touch(viewer('good', 'good')), touch(viewer(id, 'good'))] }),
      () => nobody.write({ updates: [touch(viewer('good', id))] }),
      () => nobody.write({ updates: [touch(viewer('good', 'good'))], preconditions: [{ must: 'match', filter }] }),
      () => nobody.delete({ filter }),
      () => nobody.delete({ filter: { resourceType: 'document', subject: { type: 'user', id } } }),
      () => nobody.check({ ...question, resource: document(id), subject: user('good') }),
      () => nobody.check({ ...question, resource: document('good'), subject: user(id) }),
      () => all(nobody.resources({ ...question, type: 'document', subject: user(id) })),
      () => all(nobody.relationships({ filter, consistency: 'full' })),
    ];
    for (const call of calls) {
      const { message } = await failureOf(call(), types.invalidArgument);
      expect(message).toMatch(/\.(id|resourceId): must /);
      if (id.length > 1) expect(message).not.toContain(id);
    }
  });
});

describe('a filter', () => {
  const anything: [string, object][] = [
    ['an undefined id', { resourceType: 'document', resourceId: undefined }],
    ['an undefined relation', { resourceType: 'document', relation: undefined }],
    ['an undefined subject', { resourceType: 'document', subject: undefined }],
    ['an unknown field', { resourceType: 'document', resource_id: 'x' }],
    ['no type', { resourceId: 'x' }],
  ];
  test.each(anything)('with %s deletes nothing, where it might have meant everything', async (_, filter) => {
    const id = freshId();
    await permissions.write({ updates: [touch(viewer(id, 'ada'))] });
    await failureOf(permissions.delete({ filter: filter as RelationshipFilter }), types.invalidArgument);
    expect(await heldAbout(permissions, id)).toEqual([viewer(id, 'ada')]);
  });
});

describe('what the schema does not allow', () => {
  const subject = user('ada');
  const question = { permission: 'view', subject, consistency: 'full' } as const;
  const refused: [string, (of: Permissions) => Promise<unknown>, keyof typeof types][] = [
    [
      'an unknown type',
      (of) => of.write({ updates: [touch({ ...viewer('x', 'y'), resource: { type: 'folder', id: 'x' } })] }),
      'schemaMissing',
    ],
    [
      'an unknown relation',
      (of) => of.write({ updates: [touch({ ...viewer('x', 'y'), relation: 'editor' })] }),
      'schemaMissing',
    ],
    [
      'an unknown permission',
      (of) => of.check({ ...question, resource: document('x'), permission: 'edit' }),
      'schemaMissing',
    ],
    ['an unknown type to delete from', (of) => of.delete({ filter: { resourceType: 'folder' } }), 'schemaMissing'],
    [
      'a subject of another type',
      (of) => of.write({ updates: [touch({ ...viewer('x', 'y'), subject: document('z') })] }),
      'invalidArgument',
    ],
    [
      'a permission to be written',
      (of) => of.write({ updates: [touch({ ...viewer('x', 'y'), relation: 'view' })] }),
      'invalidArgument',
    ],
    [
      'one relationship twice',
      (of) => of.write({ updates: [touch(viewer('x', 'y')), touch(viewer('x', 'y'))] }),
      'invalidArgument',
    ],
    ['a schema that is none', (of) => of.writeSchema('definition {'), 'invalidArgument'],
    [
      'a schema with a relation to nothing',
      (of) => of.writeSchema('definition a { relation b: c }'),
      'invalidArgument',
    ],
  ];
  test.each(refused)('%s is refused, and not retryable', async (_, call, type) => {
    expect(await failureOf(call(permissions), types[type])).toMatchObject({ retryable: false });
    expect(await heldAbout(permissions, 'x')).toEqual([]);
    expect(await permissions.readSchema()).toContain('definition document');
  });
});

test('a schema that would orphan relationships is refused', async () => {
  const id = freshId();
  await permissions.write({ updates: [touch({ ...viewer(id, 'ada'), relation: 'owner' })] });
  const withoutOwner = schema.replace('relation owner: user', '').replace(' + owner', '');
  await failureOf(permissions.writeSchema(withoutOwner), types.invalidArgument);
  expect(await heldAbout(permissions, id)).toHaveLength(1);
});
