import { rm } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { deployWorkflowId, environmentWorkflowId, type ReleaseInput } from '../src/contract.ts';
import { realServer } from './real-server.ts';

const taskQueue = 'release-attacked';
const at = await realServer(taskQueue);
const { world, client } = at;

/** What anybody can do who has the stock `temporal` command. */
const byHand = (type: string, workflowId: string, ...args: unknown[]) =>
  client.workflow.execute(type, { workflowId, taskQueue, args });

async function waiting(changes: Partial<ReleaseInput> = {}) {
  const request = await world.aRelease({ deployables: [await world.deployable()], ...changes });
  await at.start(request);
  const { json } = await at.documented(request);
  const input = (index: number) => ({
    ...json.environments[index],
    release: request.release,
    requestedBy: 'Eve',
    deployables: json.deployables,
  });
  return { request, input };
}

const invalid = { cause: { type: 'InvalidRelease' } };

describe('REL-3 REL-9 an environment that is started by hand is not touched', () => {
  it('with a made-up rank, before the approval, under whatever id; the release comes after that as if nothing had been', async () => {
    const { request, input } = await waiting({ environments: ['dev'] });
    const before = await world.state('dev');
    for (const id of ['made-up', environmentWorkflowId(request.release, 'dev')]) {
      await expect(byHand('environment', id, { ...input(0), rank: 5_000 })).rejects.toMatchObject(invalid);
    }
    expect(await world.state('dev')).toEqual(before);
    expect(await world.switches('made-up')).toEqual([]);
    await at.approve(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'released' });
  });
});

describe('what nobody should send', () => {
  const nonsense = [undefined, null, 5, 'x', [], {}, { environment: '../prod' }, { deployable: '../x', set: null }];

  it.each(['environment', 'deploy', 'rollback', 'release'])('a %s of it fails at once', async (type) => {
    const refused = nonsense.map((one, index) =>
      expect(byHand(type, `nonsense-${type}-${index}`, one)).rejects.toMatchObject(invalid),
    );
    await Promise.all(refused);
  });

  it('a deploy by hand brings nothing anywhere', async () => {
    const { request, input } = await waiting({ environments: ['dev'] });
    const [[deployable, version] = ['', undefined]] = Object.entries(input(0).set ?? {});
    const told = { environment: 'dev', deployable, version };
    const id = deployWorkflowId('made-up', deployable);
    await expect(byHand('deploy', id, told)).rejects.toMatchObject(invalid);
    await at.handleOf(request).signal('cancel');
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled' });
  });

  it.each([['problem'], ['cancel']])('a signal %s with it leaves nothing stuck', async (signal) => {
    const { request } = await waiting({ environments: ['dev'] });
    const all =
      signal === 'cancel' ? [{ requestedAt: 'x', by: 5 }] : [...nonsense, { where: 5 }, { where: 'dev', problem: 'x' }];
    for (const one of all) await at.handleOf(request).signal(signal, one);
    if (signal === 'problem') {
      expect((await at.stateOf(request)).problems).toEqual([]);
      await at.approve(request);
    }
    expect(await at.endOf(request)).toMatchObject({ status: signal === 'cancel' ? 'cancelled' : 'released' });
  });

  it('nor does an update', async () => {
    const { request } = await waiting({ environments: ['dev'] });
    for (const one of [null, 5, 'x', {}, { by: null }]) {
      for (const update of ['approve', 'reject', 'outcome']) {
        const asked = at.handleOf(request).executeUpdate(update, { args: [one] });
        await expect(asked, `${update} ${JSON.stringify(one)}`).rejects.toMatchObject(invalid);
      }
    }
    await at.approve(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'released' });
  });
});

it('a rollback while a newer release is being tried leads to what is good, and not behind it', async () => {
  const web = await world.deployable();
  const next = async (changes: Partial<ReleaseInput> = {}) =>
    world.aRelease({ deployables: [await world.deployable(web.name)], environments: ['dev'], ...changes });
  await at.released(await next());
  const good = await at.released(await next());
  const tried = await next();
  at.around.faults.on({ point: 'before-transaction', of: 'verify', effect: 'hang' });
  await at.approved(tried);
  await at.met('before-transaction of verify');
  const back = at.rollBack({ id: world.fresh('back'), environment: 'dev', requestedBy: 'Ada' });
  await vi.waitFor(async () => expect((await world.state('dev')).release).toBe(good.release), 30_000);
  at.around.faults.off();
  expect(await back).toMatchObject({ status: 'good', release: good.release });
  expect(await at.endOf(tried)).toMatchObject({ status: 'superseded' });
  await world.expectServed('dev', good.document?.json.environments[0]?.set ?? {});
});

describe('REL-3 a decision', () => {
  it('that was made holds after a reset to before it', async () => {
    const { request } = await waiting({ environments: ['dev'] });
    await world.faults('dev', { holdActivations: true });
    await at.approve(request);
    await world.held('dev');
    const { workflowId } = at.handleOf(request);
    const { runId } = await at.handleOf(request).describe();
    const { events } = await at.handleOf(request).fetchHistory();
    const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    await client.workflowService.resetWorkflowExecution({
      ...{ namespace: 'default', workflowExecution: { workflowId, runId }, reason: 'by the test' },
      ...{ requestId: world.fresh('reset'), workflowTaskFinishEventId: firstTask?.eventId ?? null },
    });
    await vi.waitFor(async () => expect((await at.stateOf(request)).status).toBe('deploying'), 30_000);
    await expect(at.handleOf(request).executeUpdate('reject', { args: [{ by: 'Rita' }] })).rejects.toMatchObject({
      cause: { type: 'NotWaitingForApproval' },
    });
    await world.faults('dev', { holdActivations: false });
    expect((await at.endOf(request)).summary.approval).toMatchObject({ decision: 'approved', by: 'Bob' });
  });

  it('is refused once the release is cancelled', async () => {
    const { request } = await waiting({ environments: ['dev'] });
    at.around.faults.on({ point: 'before-transaction', of: 'endRelease' });
    await at.handleOf(request).signal('cancel', { by: 'Ada' });
    await at.met('before-transaction of endRelease');
    await expect(at.approve(request)).rejects.toMatchObject({ cause: { type: 'NotWaitingForApproval' } });
    at.around.faults.off();
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled' });
  });
});

it('a rollback needs nothing that the host has, also if the store has lost it', async () => {
  const web = await world.deployable();
  const next = async () => world.aRelease({ deployables: [await world.deployable(web.name)], environments: ['test'] });
  const good = await at.released(await next());
  await at.released(await next());
  await rm(world.env.STORE_DIR ?? '', { recursive: true });
  const asked = { id: world.fresh('back'), environment: 'test', requestedBy: 'Ada' } as const;
  expect(await at.rollBack(asked)).toMatchObject({ status: 'good', release: good.release });
  await world.expectServed('test', good.document?.json.environments[0]?.set ?? {});
});
