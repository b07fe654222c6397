import { describe, expect, it, vi } from 'vitest';
import { realServer } from './real-server.ts';

// Not the server for tests: while one release waits for its approval, and another one is waited for, its time would fly.
const at = await realServer('release-superseded');
const { world } = at;

/** Two releases of the same two deployables to dev; the first one is documented, and begins to be older. */
async function two() {
  const deployables = [await world.deployable(), await world.deployable()];
  const older = await world.aRelease({ deployables, environments: ['dev', 'test'] });
  await at.start(older);
  await at.documented(older);
  const next = await Promise.all(deployables.map(({ name }) => world.deployable(name)));
  const newer = await world.aRelease({ deployables: next, environments: ['dev'] });
  return { older, newer };
}

describe('REL-9 an older release never overwrites a newer one', () => {
  it('that is there before its approval comes', async () => {
    const { older, newer } = await two();
    const { document } = await at.released(newer);
    await at.approve(older);
    const ending = await at.endOf(older);
    expect(ending).toMatchObject({ status: 'superseded', reason: { type: 'Superseded' } });
    expect(ending.summary.environments).toMatchObject([
      { environment: 'dev', status: 'superseded', isRolledBack: false },
    ]);
    await world.expectServed('dev', document?.json.environments[0]?.set ?? {});
  });

  it('that overtakes it while its switch is on its way', async () => {
    const { older, newer } = await two();
    await world.faults('dev', { holdActivations: true });
    await at.approve(older);
    await world.held('dev');
    await at.start(newer);
    await at.documented(newer);
    await at.approve(newer);
    await world.held('dev', 2);
    await world.faults('dev', { holdActivations: false });
    const [one, other] = await Promise.all([at.endOf(older), at.endOf(newer)]);
    // Whichever the host let in first, the newer one is there in the end.
    expect([one.status, other.status]).toEqual(['superseded', 'released']);
    await world.expectServed('dev', other.document?.json.environments[0]?.set ?? {});
    expect(await world.switches(`release:${older.release}:`)).toEqual(['dev superseded']);
  });

  it('that overtakes it while it is verified, and nor does its roll-back', async () => {
    const { older, newer } = await two();
    at.around.faults.on({ point: 'before-transaction', of: 'verify', effect: 'hang' });
    await at.approve(older);
    await at.met('before-transaction of verify');
    const { document } = await (async () => {
      await at.start(newer);
      await at.documented(newer);
      await at.approve(newer);
      await vi.waitFor(async () => expect((await world.state('dev')).release).toBe(newer.release), 30_000);
      at.around.faults.off();
      return at.endOf(newer);
    })();
    // Not that it is ill: what it was asked about is not there any more.
    expect(await at.endOf(older)).toMatchObject({ status: 'superseded', reason: { type: 'Superseded' } });
    await world.expectServed('dev', document?.json.environments[0]?.set ?? {});
  });
});

describe('a rollback by command', () => {
  const request = (changes: object) => ({
    id: world.fresh('back'),
    environment: 'dev' as const,
    requestedBy: 'Ada',
    ...changes,
  });

  it('brings back what was good before, with a generation of its own', async () => {
    const { older, newer } = await two();
    await at.approve(older);
    const first = await at.endOf(older);
    const before = await world.state('dev');
    await at.released(newer);
    const asked = request({});
    const ending = await at.rollBack(asked);
    expect(ending).toMatchObject({ status: 'good', release: older.release, to: before.generation });
    const state = await world.state('dev');
    expect(state).toMatchObject({ set: before.set, generation: before.generation + 2, status: 'good' });
    await world.expectServed('dev', first.document?.json.environments[0]?.set ?? {});
  });

  it('keeps out what began before it', async () => {
    const { older, newer } = await two();
    await at.released(newer);
    await at.rollBack(request({}));
    const { set } = await world.state('dev');
    await at.approve(older);
    expect(await at.endOf(older)).toMatchObject({ status: 'superseded' });
    expect((await world.state('dev')).set).toEqual(set);
  });

  it('to a generation that is named', async () => {
    const { older, newer } = await two();
    await at.approve(older);
    await at.endOf(older);
    const { generation, set } = await world.state('dev');
    await at.released(newer);
    await at.released({ ...newer, release: world.fresh('r') });
    expect(await at.rollBack(request({ to: generation }))).toMatchObject({ status: 'good', to: generation, set });
  });

  it('is refused if that was never good there, and touches nothing', async () => {
    const before = await world.state('dev');
    expect(await at.rollBack(request({ to: 100_000 }))).toMatchObject({
      status: 'refused',
      reason: { type: 'NothingToRollBackTo' },
    });
    expect(await at.rollBack(request({ environment: 'prod' }))).toMatchObject({ status: 'refused' });
    expect(await world.state('dev')).toEqual(before);
  });

  it('that breaks a rule fails by field', async () => {
    const wrong = request({ to: -1 });
    await expect(at.rollBack(wrong)).rejects.toMatchObject({
      cause: { type: 'InvalidRelease', message: 'to: must be at least 1' },
    });
  });
});
