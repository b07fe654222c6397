import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { untilStopped } from '@repo/dev-stack/commands';
import { postgresUrl, quietRuntime, temporalAddress, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { postWorkflowId } from '../src/contract.ts';
import { changeCommand, checkCommand, listCommand, statusCommand } from '../src/extras/commands.ts';
import { lastChange } from '../src/extras/posts.ts';
import { reconcileCommand } from '../src/extras/reconcile-command.ts';
import { createWorld, type World } from './world.ts';

const cli = fileURLToPath(new URL('../src/extras/cli.ts', import.meta.url));
/** A Temporal, a PostgreSQL and a SpiceDB that are not there: what is refused is refused before anything is asked. */
const nowhere = {
  TEMPORAL_ADDRESS: '127.0.0.1:9',
  DATABASE_URL: 'postgres://nobody:none@127.0.0.1:9/none',
  SPICEDB_ENDPOINT: '127.0.0.1:9',
  SPICEDB_TOKEN: 'none',
};

/** Runs a command as a shell would. */
const post = (env: Record<string, string>, ...args: string[]) => run(env, args).ended;

function run(env: Record<string, string>, args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (said.err += text));
  const closed = new Promise((resolve) => child.once('close', resolve));
  const ended = closed.then((code) => ({ code, out: said.out.trim(), err: said.err.trim() }));
  return { child, said, ended };
}

const long = 'x'.repeat(257);

describe('bad input: exit code 2, what is wrong with which field, and nothing is asked', () => {
  const cases = [
    [['wriet'], /^command: wriet is none of start, worker, .*write, .*reconcile/],
    [['write', '--author', '', '--post', long], /^post: must have at most 256 .*\nauthor: must not be empty$/s],
    [['transfer', '--post', 'a:b', '--to', 'a\u0007b'], /^post: must have no .*\nto: must have no other/],
    [
      ['check', '--user', 'bob', '--permission', 'fly'],
      /^post: is missing\npermission: must be one of view, edit, delete$/,
    ],
    [['reconcile', '--grace', 'soon'], /^grace: must be a duration, as 30s, 15m, 2h or 1d$/],
    [['status', '--pots', 'p'], /unknown option '--pots'/],
  ] as const;
  it.each(cases.map(([args, says]) => ({ command: args[0], args, says })))('post $command', async ({ args, says }) => {
    const { code, out, err } = await post(nowhere, ...args);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/^ +at /m);
    expect([code, out]).toEqual([2, '']);
  });
});

describe('a server that is not there, or a wrong key: one message with the next step, exit code 1', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());
  const check = ['check', '--user', 'bob', '--post', 'p', '--permission', 'edit'];

  it.each([
    [
      'PostgreSQL',
      check,
      { DATABASE_URL: nowhere.DATABASE_URL },
      /^PostgreSQL does not answer .*\n→ Start it, .*DATABASE_URL/,
    ],
    [
      'SpiceDB',
      ['list', '--user', 'bob'],
      { SPICEDB_ENDPOINT: '127.0.0.1:9' },
      /^SpiceDB at 127.0.0.1:9 .*\n→ .*SPICEDB_ENDPOINT/,
    ],
    [
      'the key',
      ['list', '--user', 'bob'],
      { SPICEDB_TOKEN: 'wrong' },
      /refuses the key.*\n→ Set SPICEDB_TOKEN to the preshared key/,
    ],
    [
      'the authority',
      check,
      { SPICEDB_CA_CERT: '/not/there.pem' },
      /^SPICEDB_CA_CERT: must be the path of a file that can be read\.\n→ Set that variable/,
    ],
    [
      'a server without TLS',
      ['list', '--user', 'bob'],
      { SPICEDB_TLS: 'on' },
      /wrong version number.*does that server speak TLS\?/,
    ],
    ['the key', ['migrate'], { SPICEDB_TOKEN: 'wrong' }, /refuses the key.*\n→ Set SPICEDB_TOKEN/],
    [
      'Temporal',
      ['write', '--author', 'bob', '--post', 'p'],
      { TEMPORAL_ADDRESS: '127.0.0.1:9' },
      /^Temporal does not answer .*\n→ /,
    ],
  ] as const)('%s: post %j', async (_, args, wrong, says) => {
    const { code, out, err } = await post({ ...world.env, ...wrong }, ...args);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/^ +at |Resolution note/m);
    expect([code, out]).toEqual([1, '']);
  });

  it('tables that are not there: the next step is migrate, which makes them for whom DATABASE_URL names', async () => {
    const url = new URL(world.env.DATABASE_URL);
    const name = `${url.pathname.slice(1)}_2`;
    const admin = new URL(postgresUrl());
    const own = { ...world.env, DATABASE_URL: `postgres://${name}:a%20secret@${url.host}/${name}` };
    const migrated = await post({ ...own, POSTGRES_ADMIN_URL: admin.href }, 'migrate', '--json');
    expect(migrated).toEqual({ code: 0, out: '{"spicedb":"unchanged"}', err: '' });
    expect(await post(own, 'migrate')).toMatchObject({ code: 0, out: expect.stringMatching(/schema, as before/) });

    admin.pathname = '/postgres';
    const bare = await post({ ...own, DATABASE_URL: admin.href }, ...check);
    const said = 'PostgreSQL has no tables of this app yet.\n→ Run: pnpm --filter spicedb-writes migrate';
    expect(bare.err.startsWith(said)).toBe(true);
    expect(bare.code).toBe(1);
  });
});

describe('with everything there', () => {
  const taskQueue = 'spicedb-writes-cli';
  let world: World;
  let native: NativeConnection;
  let worker: Worker;
  let running: Promise<void>;
  beforeAll(async () => {
    quietRuntime();
    const address = temporalAddress();
    [world, native] = await Promise.all([createWorld(), NativeConnection.connect({ address })]);
    Object.assign(process.env, world.env, { TEMPORAL_ADDRESS: address, TASK_QUEUE: taskQueue });
    worker = await Worker.create({
      connection: native,
      taskQueue,
      workflowBundle: workflowBundle(),
      activities: createActivities(world.services),
    });
    running = worker.run();
  });
  afterAll(async () => {
    worker.shutdown();
    await running;
    await Promise.all([native.close(), world.close()]);
  });

  /** A command, without a process of its own: its exit code and what it prints. */
  async function here(command: () => Promise<void>) {
    const [out, err] = (['log', 'error'] as const).map((one) => vi.spyOn(console, one).mockReturnValue());
    process.exitCode = undefined;
    try {
      await command();
      const words = (spy: typeof out) => spy?.mock.calls.flat().join('\n');
      return { code: process.exitCode ?? 0, out: words(out), err: words(err) };
    } finally {
      process.exitCode = undefined;
      vi.restoreAllMocks();
    }
  }

  it('the exit codes say what has become of it', async () => {
    const id = world.aPost();
    const json = async (command: () => Promise<void>) => {
      const { code, out } = await here(command);
      return [code, JSON.parse(out ?? '')];
    };
    const check = (user: string, asJson = false) => checkCommand({ user, post: id, permission: 'edit' }, asJson);
    await expect(check('bob')).rejects.toMatchObject({ fields: [{ field: 'post', message: 'is not known' }] });
    const write = (author: string, asJson = false) => changeCommand('writePost', { author, post: id }, asJson);
    expect(await json(() => write('bob', true))).toMatchObject([0, { status: 'written', already: false }]);
    const again = { code: 0, out: `bob is the author of ${id}, as before: nothing was written.`, err: '' };
    expect(await here(() => write('bob'))).toEqual(again);
    expect(await here(() => write('eve'))).toEqual({ code: 1, out: '', err: `Refused: ${id} belongs to bob.` });
    expect(await json(() => check('bob', true))).toMatchObject([0, { allowed: true }]);
    expect(await here(() => check('eve'))).toEqual({ code: 3, out: `eve may not edit ${id}.`, err: '' });
    expect(await json(() => listCommand({ user: 'bob' }, true))).toEqual([0, { post: id }]);
    const transfer = () => changeCommand('transferPost', { post: id, to: 'carol' }, true);
    expect(await json(transfer)).toMatchObject([0, { from: 'bob', to: 'carol' }]);
    const held = { authors: ['carol'], fences: ['2'] };
    const status = { record: { row: { author: 'carol' } }, held, last: { status: 'transferred' } };
    expect(await json(() => statusCommand({ post: id }, true))).toMatchObject([0, status]);
    const remove = () => here(() => changeCommand('deletePost', { post: id }));
    expect(await remove()).toEqual({ code: 0, out: `${id} is deleted.`, err: '' });
    const unknown = { fields: [{ field: 'post', message: 'is not known' }] };
    await expect(remove()).rejects.toMatchObject(unknown);
    const never = { post: `${id}-never`, to: 'carol' };
    await expect(changeCommand('transferPost', never)).rejects.toMatchObject(unknown);
    const notFound = [2, { status: 'not-found', post: never.post }];
    expect(await json(() => changeCommand('transferPost', never, true))).toEqual(notFound);
    expect((await here(() => statusCommand({ post: never.post }))).out).toMatch(/^\S+: is not there\n/);
    expect((await here(() => statusCommand({ post: id }))).out).toMatch(/^\S+: is deleted\n/);
    await expect(statusCommand({ post: `${id}-not` })).rejects.toMatchObject({
      message: `There is no post ${id}-not.`,
    });
    expect(await world.disagreements()).toEqual([]);
  });

  it('reconcile says what it mends, and exits with 3 if a person has to look', async () => {
    const [missing, wrong] = [world.aPost(), world.aPost()];
    for (const id of [missing, wrong]) await here(() => changeCommand('writePost', { author: 'bob', post: id }));
    await world.stores.permissions.delete({
      filter: { resourceType: 'post', resourceId: missing, relation: 'author' },
    });
    const prefix = missing.replace(/\d+$/, '');
    const reconcile = (more: { dryRun?: boolean; json?: boolean }) =>
      here(() => reconcileCommand({ grace: '0s', prefix, ...more }));
    const drift = `${missing} belongs to bob in PostgreSQL, and to nobody in SpiceDB`;
    const dry = { code: 0, out: expect.stringMatching(new RegExp(`^${drift}: to mend\n\\d posts .*1 to mend`)) };
    expect(await reconcile({ dryRun: true })).toMatchObject(dry);
    expect((await world.stores.both(missing))?.authors).toEqual([]);
    const mended = await reconcile({ json: true });
    expect([mended.code, JSON.parse(mended.out ?? '')]).toMatchObject([0, { post: missing, action: 'mended' }]);
    expect((await world.stores.both(missing))?.authors).toEqual(['bob']);

    const byHand = new pg.Client({ connectionString: world.env.DATABASE_URL });
    await byHand.connect();
    await byHand.query(`UPDATE posts SET author = 'eve' WHERE post = $1`, [wrong]);
    await byHand.end();
    const attention = { code: 3, out: expect.stringMatching(/needs attention: PostgreSQL contradicts itself/) };
    expect(await reconcile({})).toMatchObject(attention);
    const mend = await here(() => changeCommand('mendPost', { post: wrong }));
    expect(mend).toEqual({ code: 0, out: `Both stores agree about ${wrong} again.`, err: '' });
    expect(await world.disagreements()).toEqual([]);
  });

  /** A post that is closed, and cannot get on until SpiceDB is back. */
  async function halfWritten() {
    await world.spicedb.down();
    const id = world.aPost();
    const change = here(() => changeCommand('writePost', { author: 'bob', post: id })).catch((error: unknown) => error);
    await vi.waitFor(async () => expect((await world.stores.both(id))?.row?.status).toBe('pending'), 10_000);
    return { id, change };
  }

  it('a change that is terminated while somebody waits for it: what is left, and what finishes it', async () => {
    const { id, change } = await halfWritten();
    const client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
    await client.workflow.getHandle(postWorkflowId(id)).terminate();
    await client.connection.close();
    const message = `The change of ${id} was terminated.`;
    expect(await change).toMatchObject({
      name: 'OperatorError',
      message,
      nextStep: expect.stringMatching(/post reconcile/),
    });
    await world.mend();
    await here(() => changeCommand('mendPost', { post: id }));
    expect(await world.disagreements()).toEqual([]);
  });

  it('whoever waits hears what keeps failing', async () => {
    const { change } = await halfWritten();
    await vi.waitFor(() => expect(console.error).toHaveBeenCalled(), 10_000);
    await world.mend();
    const err = expect.stringMatching(
      /^Waiting for writePost of \S+, on task queue spicedb-writes-cli: apply has failed/,
    );
    expect(await change).toMatchObject({ code: 0, err });
    expect(await world.disagreements()).toEqual([]);
  });

  it('a post that a change holds on a queue which nobody serves: says so, and ends at the first Ctrl-C', async () => {
    const client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
    const id = world.aPost();
    const place = { workflowId: postWorkflowId(id), taskQueue: 'nobody-serves-this' };
    const held = await client.workflow.start('writePost', { ...place, args: [{ post: id, author: 'bob' }] });
    const waiting = ['write', 'mend'].map((command) => {
      const author = command === 'write' ? ['--author', 'bob'] : [];
      return run({}, [command, '--post', id, ...author]);
    });
    for (const { child, said, ended } of waiting) {
      const hint =
        /on task queue nobody-serves-this. If nobody serves it, start a worker: TASK_QUEUE=nobody-serves-this /;
      await vi.waitFor(() => expect(said.err).toMatch(hint), 20_000);
      child.kill('SIGINT');
      expect(await ended).toMatchObject({ code: 130, err: expect.stringMatching(/goes on without you/) });
    }
    await held.terminate();
    await client.connection.close();
  });

  it('many calls before Ctrl-C are no reason for a warning', async () => {
    const client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
    const warned = vi.fn();
    process.on('warning', warned);
    const calls = async () => Promise.all(Array.from({ length: 12 }, () => lastChange(client, 'no-post')));
    expect(await untilStopped(client, calls)).toHaveLength(12);
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
    await client.connection.close();
  });
});
