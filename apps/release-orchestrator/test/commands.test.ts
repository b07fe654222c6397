import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { postgresUrl } from '@repo/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { environmentWorkflowId, type ReleaseInput, releaseWorkflowId } from '../src/contract.ts';
import * as commands from '../src/extras/commands.ts';
import * as environments from '../src/extras/environment-commands.ts';
import { migrate } from '../src/extras/migrate.ts';
import { announceSurroundings } from '../src/extras/surroundings.ts';
import { commandsServer, saying } from './commands-server.ts';

const cli = fileURLToPath(new URL('../src/extras/cli.ts', import.meta.url));
const taskQueue = 'release-commands';
const { world, client, startWorker, stopWorker } = await commandsServer(taskQueue);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-commands-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const json = true;
const answer = async (command: () => Promise<void>) => {
  const { code, out, err } = await saying(command);
  return { code, answer: JSON.parse(out || 'null'), err };
};

async function fileOf(request: object): Promise<string> {
  const file = join(folder, `${world.fresh('file')}.json`);
  await writeFile(file, JSON.stringify(request));
  return file;
}
const create = async (request: object, options: { by?: string; json?: boolean } = {}) => {
  const file = await fileOf(request);
  return saying(() => commands.createCommand(file, options));
};
const documentOf = async ({ release }: ReleaseInput) =>
  (await answer(() => commands.lookCommand('document', release, { json }))).answer as { digest: string };

it('from the file to the summary: created, looked at, approved with its document, shown, recorded', async () => {
  const { requestedBy: _, ...request } = await world.aRelease();
  const { release } = request;
  const waits = {
    code: 0,
    err: '',
    out: expect.stringMatching(/^Release \S+ is built and documented, and waits for /),
  };
  expect(await create(request, { by: 'Ada' })).toEqual(waits);
  expect(await create(request, { by: 'Ada' }), 'the same again').toEqual(waits);
  expect(await create({ ...request, environments: ['dev'] }, { by: 'Ada' })).toMatchObject({
    code: 2,
    err: `environments: release ${release} exists with other details`,
  });
  expect(await saying(() => commands.lookCommand('status', release, {}))).toMatchObject({
    code: 0,
    out: `Release ${release} is waiting-for-approval: dev pending, test pending.`,
  });
  const summary = () => saying(() => commands.lookCommand('summary', release, {}));
  expect(await summary()).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is waiting-for-approval: there is no summary before its end\.\n→ .* show /),
  });
  const { digest } = await documentOf({ ...request, requestedBy: 'Ada' });
  const { out: document } = await saying(() => commands.lookCommand('document', release, {}));
  expect(document).toContain(`Digest of this document: \`${digest}\``);

  const other = '0'.repeat(64);
  const approve = (document: string) => commands.decideCommand('approve', release, { by: 'Bob', document, json });
  expect(await saying(() => approve(other))).toMatchObject({ code: 2, err: expect.stringContaining(digest) });
  const { code, answer: ending } = await answer(() => approve(digest));
  expect(code).toBe(0);
  expect(ending).toMatchObject({ status: 'released', release, summary: { approval: { by: 'Bob' }, document: digest } });

  const [dev, test] = ending.summary.environments;
  await world.expectServed('dev', dev.set);
  await world.expectServed('test', test.set);
  expect((await summary()).out).toContain(digest);
  expect((await saying(() => commands.lookCommand('show', release, {}))).out).toMatch(
    new RegExp(
      `approved by Bob at [\\s\\S]*dev +good\\n *test +good\\nRelease ${release} is released: dev, test serve it\\.`,
    ),
  );
  expect(await create(request, { by: 'Ada' }), 'after its end').toMatchObject({
    code: 0,
    out: `Release ${release} is released: dev, test serve it.`,
  });
  expect(await saying(() => approve(digest)), 'after its end').toMatchObject({
    code: 2,
    err: expect.stringMatching(/is released: it does not wait for approval$/),
  });
  const history = await saying(() => environments.historyCommand({ env: 'test', limit: '1' }));
  expect(history.out).toMatch(new RegExp(`^test +${test.generation}  ${release} +good +\\d{4}-.* Ada$`));
});

it('rejected: nothing is deployed, and that is what was asked for', async () => {
  const request = await world.aRelease();
  const { release, deployables } = request;
  await create(request);
  expect(await saying(() => commands.decideCommand('reject', release, { by: 'Carol' }))).toMatchObject({
    code: 0,
    out: `Release ${release} was rejected by Carol; no environment was touched.`,
  });
  const names = deployables.map(({ name }) => name);
  expect(Object.values(await world.served('dev', names))).toEqual([undefined, undefined]);
  expect(await saying(() => commands.lookCommand('status', release, {}))).toMatchObject({ code: 1 });
});

it('a source that is not there is refused by field, and no environment is touched', async () => {
  const request = await world.aRelease({ deployables: [{ name: 'nothing', source: 'sources/nowhere' }] });
  expect(await create(request)).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/is refused, and no environment was touched: .*sources\/nowhere/),
  });
  expect(await world.switches(releaseWorkflowId(request.release))).toEqual([]);
});

it('a release that is not well fails, with exit code 1, and says where and why', async () => {
  const { name, source } = await world.deployable(undefined, ['test']);
  const request = await world.aRelease({ deployables: [{ name, source }] });
  await create(request);
  const { code, err } = await saying(() => commands.decideCommand('approve', request.release, { by: 'Bob' }));
  expect(code).toBe(1);
  expect(err).toMatch(/has failed: test: .* needs the value text.*\. It has what it had before\. dev serves it\.$/m);
}, 90_000);

describe('cancel', () => {
  it('in the middle of a switch: exit code 0, and the environment has what it had', async () => {
    const request = await world.aRelease({ environments: ['dev'] });
    const { release } = request;
    await create(request);
    await world.faults('dev', { holdActivations: true });
    const decided = await saying(() => commands.decideCommand('approve', release, { by: 'Bob', wait: false }));
    expect(decided).toMatchObject({ code: 0, out: expect.stringMatching(/ is approved by Bob at /) });
    await world.held('dev');
    const cancelled = saying(() => commands.cancelCommand(release, { by: 'Ada' }));
    await vi.waitFor(async () => {
      const { events } = await client.workflow.getHandle(releaseWorkflowId(release)).fetchHistory();
      expect(events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'cancel')).toBe(
        true,
      );
    }, 20_000);
    await world.faults('dev', { holdActivations: false });
    expect(await cancelled).toMatchObject({
      code: 0,
      out: expect.stringMatching(/ is cancelled at dev; dev has what/),
    });
    expect(await world.switches(releaseWorkflowId(release))).toEqual(['dev rolled-back']);
  });

  it('while no worker is there: it is recorded, and takes effect when one is; a question says that there is none', async () => {
    const request = await world.aRelease();
    const { release } = request;
    await create(request);
    await stopWorker();
    expect(await saying(() => commands.lookCommand('status', release, {}))).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /nobody serves task queue release-commands.*\n→ Start a worker: TASK_QUEUE=release-commands /,
      ),
    });
    expect(await saying(() => commands.cancelCommand(release, { by: 'Ada' }))).toMatchObject({
      code: 0,
      out: `The cancellation of release ${release} is recorded; no worker answers, so it takes effect when one does.`,
    });
    await startWorker();
    const end = await client.workflow.getHandle(releaseWorkflowId(release)).result();
    expect(end).toMatchObject({ status: 'cancelled', summary: { cancelled: { by: 'Ada' } } });
    expect(await saying(() => commands.cancelCommand(release, { by: 'Ada' })), 'once more').toMatchObject({ code: 0 });
  });
});

it('Ctrl-C while nobody serves the queue: exit code 130, and how to go on', async () => {
  const request = await world.aRelease();
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, 'create', await fileOf(request)], {
    env: { ...process.env, TASK_QUEUE: world.fresh('deserted') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
    if (!child.killed && /^Waiting\. .*start a worker/m.test(said)) child.kill('SIGINT');
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(said).toMatch(new RegExp(`\\nNot waited for any longer\\. .*\\n {2}\\S.* status ${request.release}\\n$`));
  expect(code).toBe(130);
});

it('list shows the newest, by status', async () => {
  const request = await world.aRelease();
  await create(request);
  await vi.waitFor(async () => {
    const { out } = await saying(() => commands.listCommand({ status: 'waiting-for-approval' }));
    expect(out).toMatch(new RegExp(`^${request.release} +waiting-for-approval `, 'm'));
    expect(out).not.toMatch(/ (released|rejected) /);
  }, 10_000);
});

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
    await create(request);
    const { answer: ending } = await answer(() =>
      commands.decideCommand('approve', request.release, { by: 'Bob', json }),
    );
    sets.push({ release: request.release, ...ending.summary.environments[1] });
  }
  const [first, second] = sets;
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
    const { release, ...rest } = await world.aRelease({ environments: ['test'] });
    await create({ release, ...rest });
    await saying(() => commands.decideCommand('approve', release, { by: 'Bob' }));
    const { code, out } = await saying(() => environments.showCommand('test', {}));
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^test +http://127\\.0\\.0\\.1:\\d+  ${release}, generation \\d+, good\\n`));
    for (const { name } of rest.deployables) {
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
  const request = await world.aRelease({ environments: ['dev'] });
  const { release } = request;
  await create(request);
  await world.faults('dev', { holdActivations: true });
  await saying(() => commands.decideCommand('approve', release, { by: 'Bob', wait: false }));
  await world.held('dev');
  for (const id of [releaseWorkflowId(release), environmentWorkflowId(release, 'dev')]) {
    await client.workflow.getHandle(id).terminate('a test');
  }
  await world.faults('dev', { holdActivations: false });
  await vi.waitFor(async () => expect(await world.state('dev')).toMatchObject({ status: 'active' }), 10_000);
  expect(await saying(() => commands.lookCommand('status', release, {}))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/was ended from outside while it was .*\n→ .* release reconcile$/),
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
  await create(request);
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

const changed = (url: string, change: Partial<URL>) => Object.assign(new URL(url), change).href;

describe('what a person at the keyboard has to mend: one message with the next step, exit code 1', () => {
  const own = world.env.DATABASE_URL ?? '';
  it.each([
    ['a database without records', postgresUrl(), /^There are no records in that database\.\n→ Run: .* migrate$/],
    ['no such database', changed(postgresUrl(), { pathname: '/none' }), /^There are no records in that database\./],
    ['a wrong password', changed(own, { password: 'wrong' }), /^PostgreSQL refuses \(.*\)\.\n→ Check DATABASE_URL\./],
    ['no URL', 'somewhere', /^The configuration is not right:\n {2}DATABASE_URL must be/],
    ['nobody there', 'postgres://nobody:nothing@127.0.0.1:9/none', /^PostgreSQL does not answer/],
  ])('%s', async (_, url, says) => {
    vi.stubEnv('DATABASE_URL', url);
    expect(await saying(() => environments.historyCommand({}))).toMatchObject({
      code: 1,
      err: expect.stringMatching(says),
    });
    vi.unstubAllEnvs();
  });

  it('there is no such release', async () => {
    expect(await saying(() => commands.lookCommand('show', 'never-made', {}))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^There is no release never-made\.\n→ /),
    });
  });
});

it("migrate makes the records on a PostgreSQL of one's own, and says if it cannot", async () => {
  const role = world.fresh('role').replaceAll('-', '_');
  const own = changed(postgresUrl(), { username: role, password: 'of its own', pathname: `/${role}` });
  vi.stubEnv('DATABASE_URL', own);
  expect(await saying(migrate)).toMatchObject({ code: 1, err: expect.stringMatching(/POSTGRES_ADMIN_URL=/) });
  vi.stubEnv('POSTGRES_ADMIN_URL', postgresUrl());
  for (const _ of ['the first time', 'again']) expect(await saying(migrate)).toMatchObject({ code: 0, err: '' });
  expect(await saying(() => environments.historyCommand({}))).toMatchObject({
    code: 0,
    out: 'Nothing was deployed yet.',
  });
  vi.unstubAllEnvs();
});
