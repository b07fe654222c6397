import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ReleaseInput, releaseWorkflowId } from '../src/contract.ts';
import * as commands from '../src/extras/commands.ts';
import * as environments from '../src/extras/environment-commands.ts';
import { commandsServer, saying } from './commands-server.ts';

const taskQueue = 'release-commands';
const { world, client, released, startWorker, stopWorker } = await commandsServer(taskQueue);

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

/** It takes its time until it has failed for good; meanwhile the others have theirs. */
const ill = await (async () => {
  const deployables = [await world.deployable(undefined, ['qc'])];
  const request = await world.aRelease({ deployables, environments: ['dev', 'qc'] });
  const ended = released(request);
  ended.catch(() => {});
  const { release } = request;
  await vi.waitFor(async () => expect((await world.state('qc')).release).toBe(release), 60_000);
  return { release, ended };
})();

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

it('list shows the newest, by status', async () => {
  const request = await world.aRelease();
  await create(request);
  await vi.waitFor(async () => {
    const { out } = await saying(() => commands.listCommand({ status: 'waiting-for-approval' }));
    expect(out).toMatch(new RegExp(`^${request.release} +waiting-for-approval `, 'm'));
    expect(out).not.toMatch(/ (released|rejected) /);
  }, 10_000);
});

it('of a release that is not well, shows where it has failed and why, with exit code 1', async () => {
  await ill.ended;
  const { code, out } = await saying(() => commands.lookCommand('status', ill.release, {}));
  expect(code).toBe(1);
  expect(out).toMatch(/ has failed: qc: .* needs the value text.*\. It has what it had before\. dev serves it\.$/m);
});
