import { describe, expect, it } from 'vitest';
import { atTheDoor, cancelledBy, differingFields, inTheWorkflow } from '../src/contract.ts';

const web = { name: 'web', source: 'deployables/web' };
const request = {
  release: 'r-2027-01-05',
  deployables: [web],
  environments: ['dev', 'test'],
  requestedBy: 'Ada',
};

/** The names of the fields that are refused. */
function refused(changes: object): string[] {
  const { error } = atTheDoor.release.safeParse({ ...request, ...changes });
  return [...new Set((error?.issues ?? []).map(({ path }) => path.join('.')))];
}

describe('REL-9 rules of promotion', () => {
  it.each([
    ['dev', true],
    ['test', true],
    ['qc', true],
    ['prod', false],
    ['dev test', true],
    ['dev qc', true],
    ['dev prod', false],
    ['test qc', true],
    ['test prod', false],
    ['qc prod', true],
    ['dev test qc', true],
    ['dev test prod', false],
    ['dev qc prod', true],
    ['test qc prod', true],
    ['dev test qc prod', true],
    ['test dev', false],
    ['prod qc', false],
    ['qc dev prod', false],
    ['dev dev', false],
    ['qc prod prod', false],
    ['staging', false],
    ['DEV', false],
    ['', false],
  ])('to "%s": %s', (environments, isAllowed) => {
    expect(atTheDoor.release.safeParse({ ...request, environments: environments.split(' ') }).success).toBe(isAllowed);
  });
});

describe('bad input is refused by field', () => {
  it.each([
    ['release', ['', 'a b', '../x', '.hidden', 'x'.repeat(65), 'é', 5, null, 'a/b', 'a:b']],
    ['requestedBy', ['', '  ', 'x'.repeat(101), 'a\u0000b', 'a\u202eb', {}, undefined]],
    ['approvalWithin', [0, -1, 1.5, Number.POSITIVE_INFINITY, 2_592_001, '60']],
    ['environments', [[], 'dev', null, Array(500).fill('dev'), Array(5).fill('dev')]],
    ['environments.0', [['toString'], [['dev']], [{}]]],
    ['deployables', [[], {}, null, Array(21).fill(web), [web, { ...web, source: 'other' }]]],
    [
      'deployables.0.name',
      ['', 'Web', 'a b', '../a', 'a/b', '-a', 'a.b', 'x'.repeat(41), 1].map((name) => [{ ...web, name }]),
    ],
    [
      'deployables.0.source',
      ['', '/etc', '../web', 'a/../b', 'a//b', 'a b', './a', 'a/', 'a\\b', 'a/.git', 'x'.repeat(201), 1].map(
        (source) => [{ ...web, source }],
      ),
    ],
  ])('%s', (field, values) => {
    const [name = ''] = field.split('.');
    for (const value of values) expect([value, refused({ [name]: value })]).toEqual([value, [field]]);
  });

  it('and 500 unknown environments in one line', () => {
    const { error } = atTheDoor.release.safeParse({ ...request, environments: Array(500).fill('nowhere') });
    expect(error?.issues).toMatchObject([{ path: ['environments'], message: 'must have at most 4 entries' }]);
  });

  it('and so is what nobody knows, at the doors; a worker ignores it, for it may be older', () => {
    expect(refused({ notes: 'x' })).toEqual(['']);
    expect(inTheWorkflow.release.parse({ ...request, notes: 'x' })).not.toHaveProperty('notes');
  });
});

it('names that are prefixes of one another are different names', () => {
  expect(refused({ deployables: [web, { ...web, name: 'web-2' }, { ...web, name: 'we' }] })).toEqual([]);
});

it('two requests differ in fields, not in what was left out', () => {
  const [one, other] = [request, { ...request, approvalWithin: 86_400 }].map((each) => atTheDoor.release.parse(each));
  if (!one || !other) throw new Error('both are valid');
  expect(differingFields(one, other)).toEqual([]);
  expect(differingFields(one, { ...other, requestedBy: 'Bob', environments: ['dev'] })).toEqual([
    'environments',
    'requestedBy',
  ]);
});

describe('a cancellation', () => {
  const now = Date.parse('2027-01-05T12:00:00.000Z');
  it.each([
    [undefined, { requestedAt: '2027-01-05T12:00:00.000Z' }],
    ['nonsense', { requestedAt: '2027-01-05T12:00:00.000Z' }],
    [
      { requestedAt: '2027-01-05T11:00:00Z', by: 'Ada' },
      { requestedAt: '2027-01-05T11:00:00.000Z', by: 'Ada' },
    ],
    [{ requestedAt: '2099-01-01T00:00:00Z' }, { requestedAt: '2027-01-05T12:00:00.000Z' }],
  ])('%j was asked for at %j', (said, expected) => {
    expect(cancelledBy(said as never, now)).toEqual(expected);
  });
});
