import { expect, it } from 'vitest';
import { type PostStatus, statusInWords } from '../src/extras/post-words.ts';

const nothing: PostStatus = { held: { authors: [], fences: [] } };

it('the status says what an open change keeps failing of', () => {
  const problem = { step: 'Making bob the author of p', type: 'PermissionsUnavailable', message: 'SpiceDB is away' };
  const [lastLine] = statusInWords('p', { ...nothing, problem })
    .split('\n')
    .reverse();
  expect(lastLine).toBe('  Problem     Making bob the author of p: SpiceDB is away');
});

it('only a post that was there once is deleted', () => {
  const record = { post: 'p', generation: 2 };
  expect(statusInWords('p', nothing)).toMatch(/^p: is not there\n/);
  expect(statusInWords('p', { ...nothing, record })).toMatch(/^p: is deleted\n/);
});
