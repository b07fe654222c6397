import { describe, expect, it, vi } from 'vitest';
import { environmentWorkflowId } from '../src/contract.ts';
import { realServer } from './real-server.ts';

const at = await realServer('release-workers');
const { world } = at;

describe('REL-7 a bug in an activity', () => {
  it('keeps failing, is mended, and all releases in flight go on; none has failed', async () => {
    const waiting = await world.aRelease({ environments: ['qc'], deployables: [await world.deployable()] });
    await at.start(waiting);
    await at.documented(waiting);
    await at.stopWorker();
    const broken = vi.fn(async (): Promise<never> => {
      throw new TypeError('undefined is not a function');
    });
    await at.startWorker({ deployArtifact: broken, verify: broken });
    const inFlight = [await world.aRelease({ environments: ['dev'], deployables: [await world.deployable()] })];
    for (const request of inFlight) await at.approved(request);
    await at.approve(waiting);
    // Each of them has been tried, and tried again.
    await vi.waitFor(() => expect(broken.mock.calls.length).toBeGreaterThan(3), 30_000);
    for (const request of [waiting, ...inFlight]) {
      expect((await at.handleOf(request).describe()).status.name).toBe('RUNNING');
    }
    await at.stopWorker();
    await at.startWorker();
    for (const request of [waiting, ...inFlight]) {
      const { status, document } = await at.endOf(request);
      expect(status).toBe('released');
      for (const { environment, set } of document?.json.environments ?? []) await world.expectServed(environment, set);
    }
  });
});

describe('a release that is terminated', () => {
  it('in the middle of an environment: what was good is served again', async () => {
    const web = await world.deployable();
    const good = await at.released(await world.aRelease({ deployables: [web], environments: ['dev'] }));
    const newer = await world.aRelease({
      deployables: [await world.deployable(web.name)],
      environments: ['dev', 'test'],
    });
    await world.faults('dev', { holdActivations: true });
    const handle = await at.approved(newer);
    await world.held('dev');
    await handle.terminate('as an operator may');
    await vi.waitFor(
      async () => expect(await world.switches(`release:${newer.release}:`)).toEqual(['dev rolled-back']),
      30_000,
    );
    await world.faults('dev', { holdActivations: false });
    await vi.waitFor(async () => expect((await world.faults('dev')).held).toBe(0), 10_000);
    await world.expectServed('dev', good.document?.json.environments[0]?.set ?? {});
    expect((await world.state('dev')).status).toBe('rolled-back');
  });
});

describe('REL-6 an environment whose own workflow is terminated: the release looks what has become of it', () => {
  const lost = async (point: 'before-transaction' | 'before-return', of: string) => {
    const web = await world.deployable();
    const good = await at.released(await world.aRelease({ deployables: [web], environments: ['dev'] }));
    const newer = { deployables: [await world.deployable(web.name)], environments: ['dev' as const, 'test' as const] };
    const request = await world.aRelease(newer);
    at.around.faults.on({ point, of, effect: 'hang', calls: 1 });
    await at.approved(request);
    await at.met(`${point} of ${of}`);
    await at.client.workflow.getHandle(environmentWorkflowId(request.release, 'dev')).terminate('as an operator may');
    const ending = await at.endOf(request);
    // What the attempt that hangs does now, nobody waits for.
    at.around.faults.off();
    const setOf = (one: typeof good) => one.document?.json.environments[0]?.set ?? {};
    return { ending, switches: await world.switches(`release:${request.release}:`), setOf, good };
  };

  it('just after it was marked as good: it is good, and the release goes on', async () => {
    const { ending, switches, setOf } = await lost('before-return', 'markGood');
    expect(ending).toMatchObject({ status: 'released', summary: { environments: [{ environment: 'dev' }, {}] } });
    expect(ending.summary.environments.map(({ status }) => status)).toEqual(['good', 'good']);
    expect(ending.summary.environments[0]?.generation).toBe((await world.state('dev')).generation);
    expect(switches).toEqual(['dev good', 'test good']);
    await world.expectServed('dev', setOf(ending));
  });

  it.each([
    ['just before it is marked as good: what was good is served again', 'markGood', true, ['dev rolled-back']],
    ['before it was switched: nothing has changed', 'updateConfig', false, []],
  ])('%s, and the release fails', async (_, of, isRolledBack, expected) => {
    const { ending, switches, setOf, good } = await lost('before-transaction', of);
    expect(ending).toMatchObject({ status: 'failed', reason: { type: 'EndedFromOutside' } });
    expect(ending.summary.environments).toMatchObject([{ environment: 'dev', status: 'failed', isRolledBack }]);
    expect(switches).toEqual(expected);
    await world.expectServed('dev', setOf(good));
  });
});

describe('an environment that does not answer', () => {
  it('is waited for: the release goes on when it is back', async () => {
    const request = await world.aRelease({ environments: ['qc', 'prod'] });
    await at.start(request);
    await at.documented(request);
    const host = world.host('prod');
    host.freeze();
    await at.approve(request);
    await vi.waitFor(async () => expect((await at.stateOf(request)).environments[1]?.status).toBe('deploying'), 60_000);
    host.thaw();
    expect(await at.endOf(request)).toMatchObject({ status: 'released' });
  });
});
