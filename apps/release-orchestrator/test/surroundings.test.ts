import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { findOrStart, findSurroundings } from '../src/extras/surroundings.ts';

it('of several workers that are started in the same second, one brings up the environments, and the others join them', async () => {
  const queue = `queue-${randomUUID()}`;
  // What is announced by another process may be found first, on the machine of somebody who has a worker running.
  const environments = { dev: { url: 'http://127.0.0.1:9', token: 'of nobody' } };
  const start = vi.fn(async () => environments);
  const all = await Promise.all([findOrStart(queue, start), findOrStart(queue, start), findOrStart(queue, start)]);
  try {
    expect(start.mock.calls.length).toBeLessThanOrEqual(1);
    for (const { found } of all) expect(found).toEqual(all[0].found);
    expect(await findSurroundings(queue)).toEqual(all[0].found);
  } finally {
    for (const { takeBack } of all) await takeBack();
  }
  expect(await findSurroundings(queue)).toBeUndefined();
});
