import { describe, expect, it, vi } from 'vitest';
import { type Environment, environmentWorkflowId } from '../src/contract.ts';
import { Refused } from '../src/services.ts';
import { timeSkipping } from './time-skipping.ts';

const taskQueue = 'release-attacked-ill';
const at = await timeSkipping(taskQueue);
const { world } = at;

describe('REL-9 prod without qc', () => {
  it('prod, of a release that has failed in qc', async () => {
    const bad = await world.deployable(undefined, ['qc']);
    const request = await world.aRelease({ deployables: [bad], environments: ['qc', 'prod'] });
    const { status, document } = await at.released(request);
    expect(status).toBe('failed');
    const { deployables = [], environments = [] } = document?.json ?? {};
    const input = { ...environments[1], release: request.release, requestedBy: 'Eve', deployables };
    const before = await world.state('prod');
    for (const id of ['made-up-2', environmentWorkflowId(request.release, 'prod')]) {
      await expect(
        at.env.client.workflow.execute('environment', { workflowId: id, taskQueue, args: [input] }),
      ).rejects.toMatchObject({ cause: { type: 'InvalidRelease' } });
    }
    expect(await world.state('prod')).toEqual(before);
  });
});

describe('an attempt that dies between the host and the records', () => {
  it('was good all the same: what fails after it leads back to it, and nothing older gets in', async () => {
    const web = await world.deployable();
    const aRelease = async (ill: readonly Environment[] = []) => {
      const request = await world.aRelease({
        deployables: [await world.deployable(web.name, ill)],
        environments: ['test'],
      });
      await at.start(request);
      await at.documented(request);
      return request;
    };
    const [older, good, ill] = [await aRelease(), await aRelease(), await aRelease(['test'])];
    at.around.faults.on({ point: 'before-transaction', of: 'markGood', effect: 'hang' });
    await at.approve(good);
    await at.met('before-transaction of markGood');
    // What that attempt would have done by then.
    const { generation, set } = await world.state('test');
    await world.services.environments.of('test').markGood(generation, AbortSignal.timeout(10_000));
    await at.approve(ill);
    await vi.waitFor(async () => expect((await world.state('test')).release).toBe(ill.release), 30_000);
    at.around.faults.off();
    expect(await at.endOf(good)).toMatchObject({ status: 'released' });
    expect(await at.endOf(ill)).toMatchObject({ status: 'failed' });
    await world.expectServed('test', set);
    await at.approve(older);
    expect(await at.endOf(older)).toMatchObject({ status: 'superseded' });
    await world.expectServed('test', set);
  });

  it('a roll-back is asked for again until a worker comes that knows the environment', async () => {
    const web = await world.deployable(undefined, ['test']);
    const request = await world.aRelease({ deployables: [web], environments: ['test'] });
    const of = vi.spyOn(world.services.environments, 'of');
    at.around.faults.on({ point: 'before-transaction', of: 'rollBack' });
    await at.approved(request);
    await at.met('before-transaction of rollBack');
    of.mockImplementationOnce(() => {
      throw new Refused('unknownEnvironment', 'test is none of this worker');
    });
    at.around.faults.off();
    expect(await at.endOf(request)).toMatchObject({ status: 'failed', reason: { type: 'VerificationFailed' } });
    expect(of.mock.results.some(({ type }) => type === 'throw')).toBe(true);
    of.mockRestore();
    expect(await world.switches(`release:${request.release}:`)).toEqual(['test rolled-back']);
  });
});
