import { describe, expect, it } from 'vitest';
import {
  type Environment,
  environmentWorkflowId,
  type ReleaseInput,
  rollbackWorkflowId,
  type VersionSet,
} from '../src/contract.ts';
import { realServer } from './real-server.ts';

const at = await realServer('release-reset');
const { world } = at;

/** In `pnpm test` one row of each kind; `pnpm torture` has all. */
type Which = 'release' | 'environment';
const rows = (representative: Which[], others: Which[]): Which[] =>
  process.env.TORTURE === 'all' ? [...representative, ...others] : representative;

/** What was good everywhere before. */
const deployables = [await world.deployable(), await world.deployable()];
const somewhere = ['dev', 'test', 'qc'] as const;
await at.released(await world.aRelease({ deployables, environments: [...somewhere] }));

/**
 * As `temporal workflow reset` does it: another run goes on after a task of this one.
 * @param to the first task that was ever done, or the last one
 */
async function reset(workflowId: string, to: 'first' | 'last'): Promise<void> {
  const handle = at.client.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
  await at.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'by the test',
    requestId: world.fresh('reset'),
    workflowTaskFinishEventId: tasks.at(to === 'first' ? 0 : -1)?.eventId ?? null,
  });
  expect((await handle.describe()).runId).not.toBe(runId);
}

const idOf = ({ release }: ReleaseInput, which: Which, environment: Environment = 'dev') =>
  which === 'release' ? at.handleOf({ release }).workflowId : environmentWorkflowId(release, environment);

/** What is good in an environment, and a newer release of the same two deployables that is about to be approved. */
async function second(environment: Environment = 'dev') {
  const { set: before } = await world.state(environment);
  const newer = await Promise.all(deployables.map(({ name }) => world.deployable(name)));
  const request = await world.aRelease({ deployables: newer, environments: [environment] });
  await at.start(request);
  await at.documented(request);
  return { request, before };
}

/** The environment is whole, and has been switched once by this release, or not at all. */
async function expectOneSwitch(request: ReleaseInput, before: VersionSet) {
  const [environment = 'dev'] = request.environments;
  // One that goes back to before its document waits for an approval again.
  await at.approvedAsSoonAsPossible(request, 40_000);
  const ending = await at.endOf(request);
  const switches = await world.switches(`release:${request.release}:`);
  const set = ending.document?.json.environments[0]?.set ?? {};
  if (ending.status === 'released') {
    expect(switches).toEqual([`${environment} good`]);
    await world.expectServed(environment, set);
  } else {
    expect(switches).toEqual([`${environment} rolled-back`]);
    await world.expectServed(environment, before);
  }
}

// At once: each waits for attempts that have to be given up first.
describe.concurrent('a reset in the middle, while the switch is on its way', () => {
  it.each([
    ['release', 'first', 'dev'],
    ['release', 'last', 'test'],
    ['environment', 'last', 'qc'],
  ] as const)('of the %s to its %s task: it is switched once, in %s', async (which, to, environment) => {
    const { request, before } = await second(environment);
    await world.faults(environment, { holdActivations: true });
    try {
      await at.approve(request);
      await world.held(environment);
      await reset(idOf(request, which, environment), to);
    } finally {
      await world.faults(environment, { holdActivations: false });
    }
    await expectOneSwitch(request, before);
  });
});

describe('a reset in the middle', () => {
  it.each(rows(['environment'], ['release']))('of the %s while it is verified', async (which) => {
    const { request, before } = await second();
    at.around.faults.on({ point: 'before-transaction', of: 'verify', effect: 'hang' });
    await at.approve(request);
    await at.met('before-transaction of verify');
    await reset(idOf(request, which), 'first');
    at.around.faults.off();
    await expectOneSwitch(request, before);
  });

  it('of a release that waits for its approval: it waits again, for the same document', async () => {
    const { request } = await second();
    const { digest } = await at.documented(request);
    await reset(idOf(request, 'release'), 'first');
    expect((await at.documented(request)).digest).toBe(digest);
    await at.approve(request, { by: 'Bob', document: digest });
    expect(await at.endOf(request)).toMatchObject({ status: 'released' });
  });
});

describe('a reset afterwards', () => {
  it.each(rows(['release'], ['environment']))('of a %s: nothing is deployed twice', async (which) => {
    const { request } = await second();
    await at.approve(request);
    await at.endOf(request);
    const state = await world.state('dev');
    await reset(idOf(request, which), 'first');
    if (which === 'release') await at.approvedAsSoonAsPossible(request, 40_000);
    const ending = await at.client.workflow.getHandle(idOf(request, which)).result();
    expect(ending).toMatchObject({ status: which === 'release' ? 'released' : 'good' });
    expect(await world.state('dev')).toEqual(state);
    expect(await world.switches(`release:${request.release}:`)).toEqual(['dev good']);
  });

  it.each(rows(['environment'], ['release']))(
    'of a %s that a newer one has overtaken: the newer one stays',
    async (which) => {
      const { request } = await second();
      await at.approve(request);
      await at.endOf(request);
      const newer = await Promise.all(deployables.map(({ name }) => world.deployable(name)));
      await at.released(await world.aRelease({ deployables: newer, environments: ['dev'] }));
      const state = await world.state('dev');
      await reset(idOf(request, which), 'first');
      if (which === 'release') await at.approvedAsSoonAsPossible(request, 40_000);
      expect(await at.client.workflow.getHandle(idOf(request, which)).result()).toMatchObject({ status: 'superseded' });
      expect(await world.state('dev')).toEqual(state);
    },
  );

  it('of a rollback: the environment stays as it is', async () => {
    const { request } = await second();
    await at.approve(request);
    await at.endOf(request);
    const asked = { id: world.fresh('back'), environment: 'dev' as const, requestedBy: 'Ada' };
    const first = await at.rollBack(asked);
    expect(first).toMatchObject({ status: 'good' });
    const state = await world.state('dev');
    await reset(rollbackWorkflowId(asked), 'first');
    const again = await at.client.workflow.getHandle(rollbackWorkflowId(asked)).result();
    expect(again).toMatchObject({ status: 'good', to: first.to, generation: first.generation });
    expect(await world.state('dev')).toEqual(state);
  });
});
