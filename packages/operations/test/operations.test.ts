import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelOnce, findOperation, performOnce, Refusal } from '../src/index.ts';
import { createSchema, effect, poolOn, stored, undo } from './harness.ts';

let pool: Pool;

beforeAll(async () => {
  await createSchema('operations_test');
  pool = poolOn('operations_test');
});
afterAll(() => pool.end());

const request = { from: 'BER', to: 'LIS', passengers: 2 };
const done = { operations: [{ status: 'done', outcome: { amount: 1 } }], effects: [1] };

describe('once', () => {
  it('makes the effect on the first call and replays its outcome on the second', async () => {
    const first = await performOnce(pool, { key: 'twice', request }, effect('twice'));
    const second = await performOnce(pool, { key: 'twice', request }, effect('twice', 99));
    expect(first).toEqual({ status: 'done', outcome: { amount: 1 }, replayed: false });
    expect(second).toEqual({ status: 'done', outcome: { amount: 1 }, replayed: true });
    expect(await stored(pool, 'twice')).toEqual(done);
  });

  it('makes one effect for 20 calls at once, and all of them get its outcome', async () => {
    const calls = Array.from({ length: 20 }, () => performOnce(pool, { key: 'crowd', request }, effect('crowd')));
    const results = await Promise.all(calls);
    expect(results.filter((result) => 'replayed' in result && !result.replayed)).toHaveLength(1);
    for (const result of results) expect(result).toMatchObject({ status: 'done', outcome: { amount: 1 } });
    expect(await stored(pool, 'crowd')).toEqual(done);
  });

  it('lets a waiting call make the effect when the first one fails', async () => {
    let started = () => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const failing = performOnce(pool, { key: 'relay', request }, async (tx) => {
      await effect('relay', 99)(tx);
      started();
      await tx.query('SELECT pg_sleep(0.05)');
      throw new Error('the reader is on fire');
    });
    const rejected = expect(failing).rejects.toThrow('the reader is on fire');
    await running;
    const waiting = await performOnce(pool, { key: 'relay', request }, effect('relay'));
    await rejected;
    expect(waiting).toEqual({ status: 'done', outcome: { amount: 1 }, replayed: false });
    expect(await stored(pool, 'relay')).toEqual(done);
  });

  it('finds the same request whatever the order of its keys, and another one by its values', async () => {
    const nested = { a: 1, b: [{ x: 1, y: 2 }, 3], at: new Date(0), gone: undefined };
    const reordered = { at: '1970-01-01T00:00:00.000Z', b: [{ y: 2, x: 1 }, 3], a: 1 };
    await performOnce(pool, { key: 'order', request: nested }, effect('order'));
    const call = (other: unknown) => performOnce(pool, { key: 'order', request: other }, effect('order', 99));
    expect(await call(reordered)).toMatchObject({ status: 'done', replayed: true });
    expect(await call({ ...reordered, b: [3, { x: 1, y: 2 }] })).toEqual({ status: 'mismatch' });
    expect(await call({ ...reordered, a: '1' })).toEqual({ status: 'mismatch' });
    expect(await stored(pool, 'order')).toEqual(done);
  });

  it('answers the first call as it answers the later ones, although JSON loses something', async () => {
    const lossy = async () => ({ at: new Date(0), gone: undefined, list: [undefined] });
    const first = await performOnce(pool, { key: 'lossy', request }, lossy);
    expect(first).toEqual({
      status: 'done',
      outcome: { at: '1970-01-01T00:00:00.000Z', list: [null] },
      replayed: false,
    });
    expect(await performOnce(pool, { key: 'lossy', request }, lossy)).toEqual({ ...first, replayed: true });
  });

  it('refuses a key without characters or with too many, with nothing stored', async () => {
    for (const key of ['', 'k'.repeat(501)]) {
      await expect(performOnce(pool, { key, request }, effect(key))).rejects.toMatchObject({ code: '23514' });
      expect(await stored(pool, key)).toEqual({ operations: [], effects: [] });
    }
  });
});

describe('refusals and errors', () => {
  const soldOut = { type: 'soldOut', message: 'No seats left', details: { left: 0 } };
  const refuse = (key: string) => async (tx: Parameters<ReturnType<typeof effect>>[0]) => {
    await effect(key, 99)(tx);
    throw new Refusal('soldOut', 'No seats left', { left: 0 });
  };

  it('stores a refusal without its partial effects, and gives the same one later', async () => {
    const first = await performOnce(pool, { key: 'refused', request }, refuse('refused'));
    const second = await performOnce(pool, { key: 'refused', request }, effect('refused'));
    expect(first).toEqual({ status: 'refused', refusal: soldOut, replayed: false });
    expect(second).toEqual({ status: 'refused', refusal: soldOut, replayed: true });
    expect(await performOnce(pool, { key: 'refused', request: {} }, effect('refused'))).toEqual({ status: 'mismatch' });
    expect(await stored(pool, 'refused')).toEqual({
      operations: [{ status: 'refused', outcome: soldOut }],
      effects: [],
    });
  });

  it('can refuse because of a failed statement', async () => {
    const result = await performOnce(pool, { key: 'check', request }, async (tx) => {
      await tx.query('INSERT INTO effects (key, amount) VALUES ($1, NULL)', ['check']).catch((error) => {
        throw new Refusal('noAmount', error.code);
      });
    });
    expect(result).toMatchObject({ status: 'refused', refusal: { type: 'noAmount', message: '23502' } });
    expect(await stored(pool, 'check')).toMatchObject({ operations: [{ status: 'refused' }], effects: [] });
  });

  it('stores nothing of a transient error, so that the next call can succeed', async () => {
    const broken = performOnce(pool, { key: 'transient', request }, async (tx) => {
      await effect('transient', 99)(tx);
      throw new Error('try again');
    });
    await expect(broken).rejects.toThrow('try again');
    expect(await stored(pool, 'transient')).toEqual({ operations: [], effects: [] });
    const again = await performOnce(pool, { key: 'transient', request }, effect('transient'));
    expect(again).toMatchObject({ status: 'done', replayed: false });
    expect(await stored(pool, 'transient')).toEqual(done);
  });

  it('cancels a refusal, so that nothing can come of the key', async () => {
    await performOnce(pool, { key: 'refused then cancelled', request }, refuse('refused then cancelled'));
    const cancel = () => cancelOnce(pool, 'refused then cancelled', undo('refused then cancelled'));
    expect(await cancel()).toEqual({ status: 'cancelled', replayed: false });
    expect(await cancel()).toEqual({ status: 'cancelled', replayed: true });
    const late = await performOnce(pool, { key: 'refused then cancelled', request }, effect('refused then cancelled'));
    expect(late).toEqual({ status: 'cancelled' });
    expect(await stored(pool, 'refused then cancelled')).toMatchObject({
      operations: [{ status: 'cancelled' }],
      effects: [],
    });
  });
});

describe('cancelled', () => {
  it('refuses an operation that arrives after its cancellation', async () => {
    const cancel = () => cancelOnce(pool, 'tombstone', undo('tombstone'));
    expect(await cancel()).toEqual({ status: 'cancelled', replayed: false });
    expect(await cancel()).toEqual({ status: 'cancelled', replayed: true });
    expect(await performOnce(pool, { key: 'tombstone', request }, effect('tombstone'))).toEqual({
      status: 'cancelled',
    });
    expect(await stored(pool, 'tombstone')).toEqual({
      operations: [{ status: 'cancelled', outcome: null }],
      effects: [],
    });
    expect(await findOperation(pool, 'tombstone')).toMatchObject({ status: 'cancelled', outcome: undefined });
  });

  it('undoes once what was done, and never does it again', async () => {
    await performOnce(pool, { key: 'undone', request }, effect('undone', 7));
    const cancel = () => cancelOnce(pool, 'undone', undo('undone'));
    expect(await cancel()).toEqual({ status: 'compensated', replayed: false });
    expect(await cancel()).toEqual({ status: 'compensated', replayed: true });
    expect(await performOnce(pool, { key: 'undone', request }, effect('undone'))).toEqual({ status: 'cancelled' });
    expect(await stored(pool, 'undone')).toMatchObject({ operations: [{ status: 'compensated' }], effects: [7, -7] });
  });

  it('changes nothing when the undo fails', async () => {
    await performOnce(pool, { key: 'stuck', request }, effect('stuck'));
    const failing = cancelOnce<{ amount: number }>(pool, 'stuck', async (tx, outcome) => {
      await undo('stuck')(tx, outcome);
      throw new Error('the money is gone');
    });
    await expect(failing).rejects.toThrow('the money is gone');
    expect(await stored(pool, 'stuck')).toEqual(done);
  });

  it('ends in the same state when it races the operation, 100 times', async () => {
    const seen = { done: 0, cancelled: 0 };
    for (let round = 0; round < 100; round++) {
      const key = `race ${round}`;
      const forward = () => performOnce(pool, { key, request }, effect(key));
      const cancel = () => cancelOnce(pool, key, undo(key));
      const calls: (() => Promise<{ status: string }>)[] =
        round % 2 ? [forward, cancel, forward, cancel] : [cancel, forward, cancel, forward];
      const results = await Promise.all(calls.map((call) => call()));
      const cancellations = results.filter((_, index) => calls[index] === cancel).map(({ status }) => status);
      expect(cancellations[0]).toBe(cancellations[1]);
      const state = await stored(pool, key);
      expect(state.operations).toMatchObject([{ status: cancellations[0] }]);
      expect(state.effects).toEqual(cancellations[0] === 'compensated' ? [1, -1] : []);
      expect(await forward()).toEqual({ status: 'cancelled' });
      seen[cancellations[0] === 'compensated' ? 'done' : 'cancelled']++;
    }
    expect(Math.min(seen.done, seen.cancelled), `both orders were seen: ${JSON.stringify(seen)}`).toBeGreaterThan(0);
  });
});

it('finds what is known of a key', async () => {
  expect(await findOperation(pool, 'unheard of')).toBeUndefined();
  await performOnce(pool, { key: 'found', request }, effect('found'));
  const times = { createdAt: expect.any(Date), updatedAt: expect.any(Date) };
  expect(await findOperation(pool, 'found')).toEqual({
    key: 'found',
    status: 'done',
    outcome: { amount: 1 },
    ...times,
  });
});
