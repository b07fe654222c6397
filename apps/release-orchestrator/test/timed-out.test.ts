import { expect, it, vi } from 'vitest';
import { releaseWorkflowId, rollbackWorkflowId } from '../src/contract.ts';
import { reconcile } from '../src/extras/reconcile.ts';
import type { release, rollback } from '../src/workflows.ts';
import { realServer } from './real-server.ts';

const at = await realServer('release-timed-out', { hosts: ['dev', 'test'] });
const { world, client } = at;

/** Long enough to come into the middle of a switch on a slow machine. */
const workflowExecutionTimeout = '20 seconds';

/** What the reconciler says; the second time, nothing. */
async function reconciled(): Promise<string[]> {
  const { records, environments } = world.services;
  const found: string[] = [];
  for await (const one of reconcile({ client, records, environments, graceMs: 0 })) {
    found.push(`${'environment' in one ? one.environment : one.release} ${one.action}: ${one.why}`);
  }
  return found;
}

it('a release and a rollback that time out in the middle of the switch are put right', async () => {
  const first = await world.aRelease({ environments: ['dev', 'test'] });
  await at.released(first);
  const next = await Promise.all(first.deployables.map(({ name }) => world.deployable(name)));
  const good = await at.released(await world.aRelease({ deployables: next, environments: ['dev', 'test'] }));
  const last = await Promise.all(first.deployables.map(({ name }) => world.deployable(name)));
  const request = await world.aRelease({ deployables: last, environments: ['dev'] });
  for (const environment of ['dev', 'test'] as const) await world.faults(environment, { holdActivations: true });

  const options = { taskQueue: 'release-timed-out', workflowExecutionTimeout } as const;
  const back = { id: world.fresh('back'), environment: 'test' as const, requestedBy: 'Ada' };
  const [releasing, rollingBack] = await Promise.all([
    client.workflow.start<typeof release>('release', {
      ...options,
      workflowId: releaseWorkflowId(request.release),
      args: [request],
    }),
    client.workflow.start<typeof rollback>('rollback', {
      ...options,
      workflowId: rollbackWorkflowId(back),
      args: [back],
    }),
  ]);
  await at.approvedAsSoonAsPossible(request, 20_000);
  await Promise.all([world.held('dev'), world.held('test')]);
  for (const handle of [releasing, rollingBack]) {
    await vi.waitFor(async () => expect((await handle.describe()).status.name).toBe('TIMED_OUT'), 40_000);
  }

  // A child hears of it and clears up; a rollback has nobody who could.
  const operation = releaseWorkflowId(request.release);
  await vi.waitFor(async () => expect(await world.switches(`${operation}:`)).toEqual(['dev rolled-back']), 30_000);
  expect(await world.switches(rollbackWorkflowId(back))).toEqual(['test activating']);
  const timedOut = 'its workflow is timed out';
  const { release: before } = good;
  expect(await reconciled()).toEqual([
    `test recorded: ${timedOut}; test serves what was good before, ${before}`,
    `${request.release} recorded: ${timedOut}`,
  ]);
  for (const environment of ['dev', 'test'] as const) {
    await world.faults(environment, { holdActivations: false });
    await vi.waitFor(async () => expect((await world.faults(environment)).held).toBe(0), 20_000);
    // Also the switch that arrives now changes nothing.
    expect(await world.state(environment)).toMatchObject({ status: 'rolled-back' });
    const part = good.document?.json.environments.find((one) => one.environment === environment);
    await world.expectServed(environment, part?.set ?? {});
  }
  expect(await world.records.release(request.release)).toMatchObject({ status: 'timed-out' });
  expect(await reconciled()).toEqual([]);
});
