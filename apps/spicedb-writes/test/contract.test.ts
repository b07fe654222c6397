import { fieldErrors } from '@repo/worker-kit';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { atTheDoor, inTheWorkflow, postWorkflowId } from '../src/contract.ts';

const refusals = (schema: z.ZodType, input: unknown) => {
  const parsed = schema.safeParse(input);
  return parsed.success ? [] : fieldErrors(parsed.error, input).map(({ field, message }) => `${field} ${message}`);
};

const badIds: [string, unknown, string][] = [
  ['empty', '', 'must not be empty'],
  ['of 2,000 characters', 'x'.repeat(2000), 'must have at most 256 characters'],
  ['with a space', 'some post', 'must have no other characters than'],
  ['with @', 'bob@home', 'must have no other characters than'],
  ['for everybody', '*', 'must not be *'],
  ['with :', 'a:b', 'must have no other characters than'],
  ['with #', 'a#b', 'must have no other characters than'],
  ['with a line break', 'a\n', 'must have no other characters than'],
  ['with a control character', 'a\u0000b', 'must have no other characters than'],
  ['in Greek', 'αβγ', 'must have no other characters than'],
  ['that turns the text around', 'a\u202eb', 'must have no other characters than'],
  ['that is a number', 7, 'must be a string'],
  ['that is left out', undefined, 'is missing'],
];

const doors = [
  ['write', 'post', { post: 'p', author: 'bob' }],
  ['write', 'author', { post: 'p', author: 'bob' }],
  ['transfer', 'post', { post: 'p', to: 'bob' }],
  ['transfer', 'to', { post: 'p', to: 'bob' }],
  ['post', 'post', { post: 'p' }],
  ['check', 'post', { post: 'p', user: 'bob', permission: 'edit' }],
  ['check', 'user', { post: 'p', user: 'bob', permission: 'edit' }],
  ['list', 'user', { user: 'bob' }],
] as const;

describe.each(doors)('at the door, %s: %s', (door, field, good) => {
  it('is taken as it is', () => expect(atTheDoor[door].parse(good)).toEqual(good));
  it.each(badIds)('is refused if it is one %s', (_, id, message) => {
    const said = refusals(atTheDoor[door], { ...good, [field]: id });
    // The id itself is not repeated: it may be long, or hold control characters.
    expect(said[0]?.startsWith(`${field} ${message}`)).toBe(true);
    expect(said.filter((line) => !line.startsWith(field) || line.length > 120)).toEqual([]);
  });
});

describe('at the door', () => {
  it('an unknown permission is refused', () => {
    const said = refusals(atTheDoor.check, { post: 'p', user: 'bob', permission: 'read' });
    expect(said).toEqual(['permission must be one of view, edit, delete']);
  });
  it('an unknown field is refused', () => {
    expect(refusals(atTheDoor.write, { post: 'p', author: 'bob', force: true })).toEqual(['force is not known here']);
  });
  it('every field that is wrong is named', () => {
    expect(refusals(atTheDoor.write, { post: '', author: 'a b' })).toHaveLength(2);
  });
  it.each([[null], [42], ['text'], [[]]])('%j is refused', (input) => {
    expect(refusals(atTheDoor.write, input)).toEqual([expect.stringContaining('input ')]);
  });
});

describe('in the workflow', () => {
  it('the rules are the same, and what only a newer starter knows is ignored', () => {
    expect(refusals(inTheWorkflow.write, { post: 'p', author: 'bob', force: true })).toEqual([]);
    expect(refusals(inTheWorkflow.write, { post: 'p', author: 'a b' })).toHaveLength(1);
  });
});

it('the workflow id of the longest post is one that Temporal takes', () => {
  expect(postWorkflowId(atTheDoor.post.parse({ post: 'x'.repeat(256) }).post).length).toBeLessThanOrEqual(1000);
});
