import { turnOnSchedule } from '@repo/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Environment, environmentWorkflowId, type ReleaseInput, releaseWorkflowId } from '../src/contract.ts';
import { type Finding, reconcile } from '../src/extras/reconcile.ts';
import { approve, createOrFind, endOf } from '../src/extras/releases.ts';
import { commandsServer } from './commands-server.ts';

const { world, client, faults, released } = await commandsServer('release-reconcile');
const { records, environments } = world.services;

afterEach(async () => {
  faults.off();
  for (const environment of ['dev', 'test'] as const) await world.faults(environment, { holdActivations: false });
});

/** What the reconciler says, of all environments. */
async function reconciled({ graceMs = 0, dryRun = false } = {}): Promise<string[]> {
  const found: Finding[] = [];
  for await (const one of reconcile({ client, records, environments, graceMs, dryRun })) found.push(one);
  return found.flatMap((one) => ('environment' in one ? [`${one.environment} ${one.action}: ${one.why}`] : []));
}

const terminated = 'its workflow is terminated';

const deployables = [await world.deployable()];
await released(await world.aRelease({ deployables, environments: ['test'] }));

/** What is good in test, and a newer release of the same deployable, whose switch is on its way and is held at the door. */
async function inMidSwitch() {
  const { lastGood } = await world.state('test');
  const { release: before, set } = lastGood ?? { release: '', set: {} };
  const newer = await Promise.all(deployables.map(({ name }) => world.deployable(name)));
  const request = await world.aRelease({ deployables: newer, environments: ['test'] });
  await createOrFind(client, request, 'tests');
  await world.faults('test', { holdActivations: true });
  await approve(client, request.release, { by: 'Bob' });
  await world.held('test');
  return { request, before, set, operation: environmentWorkflowId(request.release, 'test') };
}

/** Both workflows, with no time in between for the one that is left to clean up. */
async function terminate({ release }: ReleaseInput, environment: Environment = 'test'): Promise<void> {
  faults.on({ point: 'before-transaction', of: 'rollBack' });
  const ids = [releaseWorkflowId(release), environmentWorkflowId(release, environment)];
  for (const id of ids) await client.workflow.getHandle(id).terminate('a test');
}

/** Lets the held switch through, and waits until it has happened. */
async function letItSwitch({ release }: ReleaseInput): Promise<void> {
  await world.faults('test', { holdActivations: false });
  await vi.waitFor(async () => expect(await world.state('test')).toMatchObject({ release, status: 'active' }), 10_000);
}

describe('an environment whose release was terminated in the middle of the switch', () => {
  it('is rolled back after the grace period, and the second time nothing changes', async () => {
    const { request, before, set } = await inMidSwitch();
    await terminate(request);
    await letItSwitch(request);
    expect(await reconciled({ graceMs: 60_000 }), 'younger than the grace period').toEqual([]);
    expect(await reconciled({ dryRun: true })).toEqual([`test to roll back: ${terminated}`]);
    expect(await world.state('test'), 'after a dry run').toMatchObject({ status: 'active' });

    expect(await reconciled()).toEqual([
      `test rolled back: ${terminated}; test serves what was good before, ${before}`,
    ]);
    await world.expectServed('test', set);
    expect(await world.switches(releaseWorkflowId(request.release))).toEqual(['test rolled-back']);
    const after = await world.state('test');
    expect(await reconciled()).toEqual([]);
    expect(await world.state('test')).toEqual(after);
  });

  it('is rolled back by the schedule as well, which has a worker of its own', { timeout: 120_000 }, async () => {
    const { request, before, set } = await inMidSwitch();
    await terminate(request);
    await letItSwitch(request);
    const cli = new URL('../src/extras/cli.ts', import.meta.url);
    const what = new RegExp(`^test: generation \\d+ of ${request.release} rolled back: .* ${before}$`);
    expect(await turnOnSchedule({ client, cli, taskQueue: 'release-reconcile', env: world.env })).toMatchObject({
      looked: 1,
      putRight: { first: expect.arrayContaining([expect.stringMatching(what)]) },
      needAttention: { count: 0 },
    });
    await world.expectServed('test', set);
    expect(await reconciled()).toEqual([]);
  });

  it('is rolled back once by two reconcilers at a time', async () => {
    const { request, set } = await inMidSwitch();
    await terminate(request);
    await letItSwitch(request);
    const both = await Promise.all([reconciled(), reconciled()]);
    expect(both.flat().length).toBeGreaterThan(0);
    await world.expectServed('test', set);
    expect(await world.switches(releaseWorkflowId(request.release))).toEqual(['test rolled-back']);
    expect(await reconciled()).toEqual([]);
  });

  it('does not switch any more when the switch comes late', async () => {
    const { request, before, set } = await inMidSwitch();
    await terminate(request);
    expect(await reconciled()).toEqual([`test recorded: ${terminated}; test serves what was good before, ${before}`]);
    await world.faults('test', { holdActivations: false });
    await vi.waitFor(async () => expect((await world.faults('test')).held).toBe(0), 10_000);
    await world.expectServed('test', set);
    expect(await world.state('test')).toMatchObject({ status: 'rolled-back' });
    expect(await reconciled()).toEqual([]);
  });

  it('stays as it is if a newer release has it by now', async () => {
    const { request, operation } = await inMidSwitch();
    await terminate(request);
    await world.faults('test', { holdActivations: false });
    const newer = await released(await world.aRelease({ deployables: request.deployables, environments: ['test'] }));
    expect(newer.status).toBe('released');
    expect(await reconciled()).toEqual([`test recorded: ${terminated}, and test has had a later generation since`]);
    expect(await world.switches(operation)).toEqual(['test superseded']);
    await world.expectServed('test', newer.document?.json.environments[0]?.set ?? {});
    expect(await reconciled()).toEqual([]);
  });

  it('stays as it is if it had been found good, and the records are told', async () => {
    const { request, operation } = await inMidSwitch();
    await terminate(request);
    await letItSwitch(request);
    // As the attempt of a dead worker that gets through to the host, and not to the records.
    const { generation, set } = await world.state('test');
    await environments.of('test').markGood(generation, AbortSignal.timeout(10_000));
    expect(await reconciled({ dryRun: true })).toEqual([`test to record: ${terminated}`]);
    expect(await reconciled()).toEqual([`test recorded: ${terminated}, after test was found good`]);
    expect(await records.deploymentOf({ operation })).toMatchObject({ status: 'good', set });
    await world.expectServed('test', set);
    expect(await reconciled()).toEqual([]);
  });
});

it('a release whose workflow was ended from outside is recorded as ended, once', async () => {
  const request = await world.aRelease();
  const { release } = request;
  await createOrFind(client, request, 'tests');
  const turn = async (name = release) => {
    const found: Finding[] = [];
    for await (const one of reconcile({ client, records, environments, graceMs: 0 })) found.push(one);
    return found.filter((one) => 'release' in one && one.release === name);
  };
  expect(await turn(), 'while it is open').toEqual([]);
  await client.workflow.getHandle(releaseWorkflowId(release)).terminate('a test');
  expect(await turn()).toEqual([{ release, action: 'recorded', why: terminated }]);
  expect(await records.release(release)).toMatchObject({ status: 'terminated', endedAt: expect.any(String) });
  expect(await turn()).toEqual([]);

  const lost = world.fresh('lost');
  await records.begin({ release: lost, requestedBy: 'Ada', at: new Date(Date.now() - 60_000).toISOString() });
  const why = 'Temporal has no workflow of it (any more): created again, it comes to its end';
  for (const _ of ['the first time', 'the second time']) {
    expect(await turn(lost)).toEqual([{ release: lost, action: 'needs attention', why }]);
  }
});

it('an environment that never had anything is empty again', async () => {
  const request = await world.aRelease({ environments: ['qc'] });
  await createOrFind(client, request, 'tests');
  await world.faults('qc', { holdActivations: true });
  await approve(client, request.release, { by: 'Bob' });
  await world.held('qc');
  await terminate(request, 'qc');
  await world.faults('qc', { holdActivations: false });
  await vi.waitFor(async () => expect(await world.state('qc')).toMatchObject({ status: 'active' }), 10_000);
  expect(await reconciled()).toEqual([`qc rolled back: ${terminated}; qc serves nothing, as before`]);
  expect(
    await world.served(
      'qc',
      request.deployables.map(({ name }) => name),
    ),
  ).toEqual(Object.fromEntries(request.deployables.map(({ name }) => [name, undefined])));
  expect(await reconciled()).toEqual([]);
});

describe('a healthy release is never touched', () => {
  it('while it switches an environment; it is shown if it does not get on', async () => {
    const { request, operation } = await inMidSwitch();
    expect(await reconciled({ graceMs: 60_000 })).toEqual([]);
    expect(await reconciled()).toEqual([
      'test needs attention: open, but not getting on: is a worker there for task queue release-reconcile?',
    ]);
    expect(await records.deploymentOf({ operation })).toMatchObject({ status: 'activating' });
    await world.faults('test', { holdActivations: false });
    expect(await endOf(client, request.release)).toMatchObject({ status: 'released' });
    expect(await reconciled()).toEqual([]);
  });

  it('that has come to its end since the list was read', async () => {
    const { request, operation } = await inMidSwitch();
    const row = await records.deploymentOf({ operation });
    await world.faults('test', { holdActivations: false });
    await endOf(client, request.release);
    const read = vi.spyOn(records, 'unsettled').mockResolvedValueOnce(row ? [row] : []);
    expect(await reconciled()).toEqual([]);
    expect(read).toHaveBeenCalled();
    read.mockRestore();
    expect(await records.deploymentOf({ operation })).toMatchObject({ status: 'good' });
  });
});

describe('what cannot be decided goes to a person', () => {
  it('a deployment that Temporal does not know (any more)', async () => {
    const { request, operation } = await inMidSwitch();
    const describeAs = vi
      .spyOn(client.workflow, 'getHandle')
      .mockImplementation(((id: string) => original(id === operation ? 'release:forgotten' : id)) as never);
    const original = Object.getPrototypeOf(client.workflow).getHandle.bind(client.workflow);
    expect(await reconciled()).toEqual([
      expect.stringMatching(`^test needs attention: Temporal has no workflow ${operation} \\(any more\\): `),
    ]);
    describeAs.mockRestore();
    expect(await records.deploymentOf({ operation })).toMatchObject({ status: 'activating' });
    await world.faults('test', { holdActivations: false });
    await endOf(client, request.release);
    expect(await reconciled()).toEqual([]);
  });

  it('until a later generation has the environment: then it is of the past, whatever became of it', async () => {
    const deployables = [await world.deployable()];
    const { release, summary } = await released(await world.aRelease({ deployables, environments: ['dev'] }));
    const [{ set, generation: to } = { set: {}, generation: 0 }] = summary.environments;
    // As a rollback does it, but without a workflow.
    const [operation, environment] = [world.fresh('rollback:dev'), 'dev' as const];
    await records.planRollback({ operation, environment, to, requestedBy: 'Ada' });
    const at = new Date().toISOString();
    await records.claim({ operation, environment, release, set, at });
    expect(await reconciled()).toEqual([
      `dev needs attention: Temporal has no workflow ${operation} (any more): a new release, or release rollback --env dev, puts it right`,
    ]);
    await released(await world.aRelease({ deployables, environments: ['dev'] }));
    expect(await reconciled()).toEqual([expect.stringMatching(/^dev recorded: .* has had a later generation since$/)]);
    expect(await reconciled()).toEqual([]);
  });

  it('a host that does not answer; the others are looked at all the same', async () => {
    const { request } = await inMidSwitch();
    await terminate(request);
    const host = world.host('test');
    host.freeze();
    try {
      expect(await reconciled()).toEqual([
        `test needs attention: ${terminated}, and The environment test does not answer`,
      ]);
    } finally {
      host.thaw();
    }
    await world.faults('test', { holdActivations: false });
    await vi.waitFor(async () => expect((await world.faults('test')).held).toBe(0), 10_000);
    expect(await reconciled()).toEqual([expect.stringMatching(/^test (rolled back|recorded): /)]);
    expect(await reconciled()).toEqual([]);
  });

  it('a host that was switched past the records', async () => {
    const good = await released(await world.aRelease({ environments: ['dev'] }));
    const host = environments.of('dev');
    const { generation, set } = await host.state(AbortSignal.timeout(10_000));
    const signal = AbortSignal.timeout(30_000);
    await host.activate({ generation: generation + 1, release: 'by-hand', set }, signal);
    const byHand = `it serves generation ${generation + 1} of by-hand, which nobody has found good`;
    for (const _ of ['the first time', 'the second time']) {
      expect(await reconciled()).toEqual([`dev needs attention: ${byHand}`]);
    }
    await host.markGood(generation + 1, signal);
    expect(await reconciled()).toEqual([
      `dev needs attention: its host has generation ${generation + 1} of by-hand as good, the records have generation ${generation} of ${good.release}`,
    ]);
  });
});
