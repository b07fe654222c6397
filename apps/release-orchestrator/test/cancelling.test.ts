import { describe, expect, it, vi } from 'vitest';
import { cancelSignal, type ReleaseInput } from '../src/contract.ts';
import { realServer } from './real-server.ts';

const at = await realServer('release-cancelling', { hosts: ['dev', 'test'] });
const { world } = at;

const deployables = [await world.deployable(), await world.deployable()];
await at.released(await world.aRelease({ deployables, environments: ['dev', 'test'] }));

/** What is good in dev and test, and another version of those deployables, about to be released. */
async function second(environments: ReleaseInput['environments'] = ['dev']) {
  const sets = { dev: (await world.state('dev')).set, test: (await world.state('test')).set };
  const newer = await Promise.all(deployables.map(({ name }) => world.deployable(name)));
  const request = await world.aRelease({ deployables: newer, environments });
  return { request, setOf: (environment: keyof typeof sets) => sets[environment] };
}

const cancel = (request: ReleaseInput) => at.handleOf(request).signal(cancelSignal, { by: 'Ada' });

describe('a release that is cancelled', () => {
  it('while it is gathered: nothing is touched', async () => {
    const request = await world.aRelease({ deployables });
    at.around.faults.on({ point: 'before-transaction', of: 'gatherConfig' });
    await at.start(request);
    await at.met('before-transaction of gatherConfig');
    await cancel(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', summary: { environments: [] } });
    expect(await world.switches(`release:${request.release}:`)).toEqual([]);
    expect(await world.records.release(request.release)).toMatchObject({ status: 'cancelled' });
  });

  it('while it waits for approval', async () => {
    const request = await world.aRelease();
    await at.start(request);
    await at.documented(request);
    await cancel(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', summary: { environments: [] } });
    expect(await world.switches(`release:${request.release}:`)).toEqual([]);
  });

  it('while it is staged: nothing is switched', async () => {
    const { request, setOf } = await second();
    at.around.faults.on({ point: 'before-transaction', of: 'updateConfig' });
    await at.approved(request);
    await at.met('before-transaction of updateConfig');
    await cancel(request);
    const { status, summary } = await at.endOf(request);
    expect(status).toBe('cancelled');
    expect(summary.environments).toMatchObject([{ environment: 'dev', status: 'cancelled', isRolledBack: false }]);
    expect(await world.switches(`release:${request.release}:`)).toEqual([]);
    await world.expectServed('dev', setOf('dev'));
  });

  it('while its switch is on its way: what was good is served, also when it arrives late', async () => {
    const { request, setOf } = await second(['dev', 'test']);
    await world.faults('test', { holdActivations: true });
    await at.approved(request);
    await world.held('test');
    await cancel(request);
    const { status, summary } = await at.endOf(request);
    expect(status).toBe('cancelled');
    expect(summary.environments).toMatchObject([
      { environment: 'dev', status: 'good' },
      { environment: 'test', status: 'cancelled', isRolledBack: true },
    ]);
    await world.faults('test', { holdActivations: false });
    await vi.waitFor(async () => expect((await world.faults('test')).held).toBe(0));
    expect(await world.state('test')).toMatchObject({ status: 'rolled-back' });
    await world.expectServed('test', setOf('test'));
    // What is good stays: it was approved and verified.
    await world.expectServed('dev', summary.environments[0]?.set ?? {});
  });

  it('while it is verified: what was good is served', async () => {
    const { request, setOf } = await second();
    at.around.faults.on({ point: 'before-transaction', of: 'verify' });
    await at.approved(request);
    await at.met('before-transaction of verify');
    await cancel(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled' });
    expect(await world.switches(`release:${request.release}:`)).toEqual(['dev rolled-back']);
    await world.expectServed('dev', setOf('dev'));
  });

  it('when it was found good, and that is not known: it is too late for this environment', async () => {
    const { request } = await second(['dev', 'test']);
    at.around.faults.on({ point: 'before-return', of: 'markGood' });
    await at.approved(request);
    await at.met('before-return of markGood');
    await cancel(request);
    const { status, summary } = await at.endOf(request);
    expect(status).toBe('cancelled');
    expect(summary.environments).toMatchObject([{ environment: 'dev', status: 'good' }]);
    expect(await world.switches(`release:${request.release}:`)).toEqual(['dev good']);
    await world.expectServed('dev', summary.environments[0]?.set ?? {});
  });

  it('when the last environment was found good: it is released, and the summary says who came too late', async () => {
    const request = await world.aRelease({ environments: ['dev'] });
    at.around.faults.on({ point: 'before-return', of: 'markGood' });
    await at.approved(request);
    await at.met('before-return of markGood');
    await cancel(request);
    const { status, summary, markdown } = await at.endOf(request);
    expect(status).toBe('released');
    expect(markdown).toMatch(/^- a cancellation by Ada at .* came too late$/m);
    await world.expectServed('dev', summary.environments[0]?.set ?? {});
  });

  it('when its generation was issued, and that is not known: it does not get in', async () => {
    const { request, setOf } = await second();
    at.around.faults.on({ point: 'before-return', of: 'claim' });
    await at.approved(request);
    await at.met('before-return of claim');
    await cancel(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled' });
    expect(await world.switches(`release:${request.release}:`)).toEqual(['dev rolled-back']);
    await world.expectServed('dev', setOf('dev'));
  });
});

it('`temporal workflow cancel` is a cancellation like any other', async () => {
  const { request, setOf } = await second();
  at.around.faults.on({ point: 'before-transaction', of: 'verify' });
  await at.approved(request);
  await at.met('before-transaction of verify');
  await at.handleOf(request).cancel();
  expect(await at.endOf(request)).toMatchObject({ status: 'cancelled' });
  expect(await world.switches(`release:${request.release}:`)).toEqual(['dev rolled-back']);
  await world.expectServed('dev', setOf('dev'));
});

it('a cancellation is recorded while no worker is up', async () => {
  const request = await world.aRelease();
  await at.start(request);
  await at.documented(request);
  await at.stopWorker();
  const requestedAt = new Date().toISOString();
  await at.handleOf(request).signal(cancelSignal, { by: 'Ada', requestedAt });
  await at.startWorker();
  expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', summary: { cancelled: { by: 'Ada' } } });
});
