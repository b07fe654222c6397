import { describe, expect, it, vi } from 'vitest';
import { environmentWorkflowId, type ReleaseInput, releaseWorkflowId } from '../src/contract.ts';
import * as commands from '../src/extras/commands.ts';
import * as environments from '../src/extras/environment-commands.ts';
import { approve, createOrFind } from '../src/extras/releases.ts';
import { announceSurroundings } from '../src/extras/surroundings.ts';
import { commandsServer, saying } from './commands-server.ts';

const { world, client, released } = await commandsServer('release-environment-commands');

/** Approved, with the switch of dev on its way and held at the door. */
async function inMidSwitch(): Promise<ReleaseInput> {
  const request = await world.aRelease({ environments: ['dev'] });
  await createOrFind(client, request, 'tests');
  await world.faults('dev', { holdActivations: true });
  await approve(client, request.release, { by: 'Bob' });
  await world.held('dev');
  return request;
}

it('rollback: to what was good before, to a generation, and to nothing', async () => {
  const deployables = [await world.deployable()];
  const [name = ''] = deployables.map((one) => one.name);
  const rollback = (options: object) => saying(() => environments.rollbackCommand({ by: 'Carol', ...options }));
  expect(await rollback({ env: 'prod' })).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^prod is not rolled back, and nothing was changed: /),
  });
  const sets = [];
  for (const source of [deployables, [await world.deployable(name)], [await world.deployable(name)]]) {
    const request = await world.aRelease({ deployables: source, environments: ['qc', 'prod'] });
    const { release, summary } = await released(request);
    sets.push({ release, set: {}, ...summary.environments[1] });
  }
  const [first, second] = sets;
  if (!first || !second) throw new Error('there are three');
  const back = await rollback({ env: 'prod' });
  expect(back).toMatchObject({ code: 0, out: expect.stringContaining(`prod serves ${second.release} again`) });
  await world.expectServed('prod', second.set);
  const further = { env: 'prod', to: String(first.generation), id: world.fresh('back') };
  expect(await rollback(further)).toMatchObject({ code: 0, out: expect.stringContaining(first.release) });
  expect(await rollback(further), 'the same again').toMatchObject({ code: 0 });
  await world.expectServed('prod', first.set);
  const { out } = await saying(() => environments.historyCommand({ env: 'prod' }));
  expect(out.match(/\(rollback\)/g)).toHaveLength(2);
  expect(await rollback({ env: 'prod', to: '9999' })).toMatchObject({ code: 1, err: expect.stringContaining('9999') });
}, 120_000);

describe('env show asks the hosts themselves', () => {
  it('what they serve, and how it is', async () => {
    const request = await world.aRelease({ environments: ['test'] });
    const { release } = await released(request);
    const { code, out } = await saying(() => environments.showCommand('test', {}));
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^test +http://127\\.0\\.0\\.1:\\d+  ${release}, generation \\d+, good\\n`));
    for (const { name } of request.deployables) {
      expect(out).toMatch(new RegExp(`^ +${name} +[0-9a-f]{12}  config [0-9a-f]{12}  healthy  http://`, 'm'));
    }
  });

  it('one that is not well: exit code 3; one that does not answer: exit code 1, and the others are shown', async () => {
    await world.faults('test', { unhealthy: 100 });
    const { code, out } = await saying(() => environments.showCommand(undefined, {}));
    await world.faults('test', { unhealthy: 0 });
    expect(code).toBe(3);
    expect(out).toMatch(/ not healthy: /);
    const host = world.host('test');
    host.freeze();
    const frozen = await saying(() => environments.showCommand(undefined, {})).finally(() => host.thaw());
    expect(frozen).toMatchObject({ code: 1, out: expect.stringMatching(/^test +.* does not answer/m) });
    expect(frozen.out).toMatch(/^prod /m);
  });

  it('finds those that somebody has announced for the task queue, for as long as that process runs', async () => {
    const announced = JSON.parse(world.env.ENVIRONMENTS ?? '{}');
    vi.stubEnv('ENVIRONMENTS', '');
    vi.stubEnv('TASK_QUEUE', world.fresh('queue/with a slash'));
    const show = () => saying(() => environments.showCommand('dev', {}));
    const takeBack = await announceSurroundings(process.env.TASK_QUEUE ?? '', {
      pid: process.pid,
      environments: announced,
      databaseUrl: world.env.DATABASE_URL,
    });
    expect(await show()).toMatchObject({ code: 0, out: expect.stringContaining(announced.dev.url) });
    vi.stubEnv('TASK_QUEUE', 'another');
    expect(await show()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/queue another; there are some for TASK_QUEUE=/),
    });
    await takeBack();
    expect(await show()).toMatchObject({ code: 1, err: expect.stringMatching(/^No environments run here/) });
    vi.unstubAllEnvs();
  });
});

it('reconcile says what it does, and a second time nothing; an ended release says how it goes on', async () => {
  const { release } = await inMidSwitch();
  for (const id of [releaseWorkflowId(release), environmentWorkflowId(release, 'dev')]) {
    await client.workflow.getHandle(id).terminate('a test');
  }
  await world.faults('dev', { holdActivations: false });
  await vi.waitFor(async () => expect(await world.state('dev')).toMatchObject({ status: 'active' }), 10_000);
  expect(await saying(() => commands.lookCommand('status', release, {}))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/was ended from outside while it was .*\n→ .* release (?:-- )?reconcile$/),
  });
  const reconcile = (options: { dryRun?: boolean } = {}) =>
    saying(() => environments.reconcileCommand({ grace: '0s', ...options }));
  expect((await reconcile({ dryRun: true })).out).toMatch(
    new RegExp(`^${release} to record: .*\\n1 left in the middle: 1 to roll back, \\d+ to record, 0 need`, 'm'),
  );
  expect(await world.state('dev'), 'after a dry run').toMatchObject({ status: 'active' });
  const { code, out } = await reconcile();
  expect(code).toBe(0);
  expect(out).toMatch(/^dev: generation \d+ of \S+ rolled back: its workflow is terminated; dev serves /);
  expect(out).toMatch(
    new RegExp(`^${release} recorded: its workflow is terminated\\n1 left in the middle: 1 rolled`, 'm'),
  );
  expect(await reconcile()).toMatchObject({
    code: 0,
    out: '0 left in the middle: 0 rolled back, 0 recorded, 0 need attention.',
  });
});

it('a release whose environment was ended from outside says so, with exit code 1, and has left nothing in the middle', async () => {
  const request = await world.aRelease({ environments: ['dev'] });
  const { release } = request;
  await createOrFind(client, request, 'tests');
  await world.faults('dev', { holdActivations: true });
  const approved = saying(() => commands.decideCommand('approve', release, { by: 'Bob' }));
  await world.held('dev');
  await client.workflow.getHandle(environmentWorkflowId(release, 'dev')).terminate('a test');
  const left = /^Release \S+ has failed at dev: .* was ended from outside: .*\. It has what it had before\.$/m;
  expect(await approved).toMatchObject({ code: 1, err: expect.stringMatching(left) });
  expect(await world.switches(releaseWorkflowId(release))).toEqual(['dev rolled-back']);
  await world.faults('dev', { holdActivations: false });
  expect(await saying(() => environments.reconcileCommand({ grace: '0s' }))).toMatchObject({
    code: 0,
    out: '0 left in the middle: 0 rolled back, 0 recorded, 0 need attention.',
  });
});
