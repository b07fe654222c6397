import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import { reset } from '../src/commands/reset.ts';
import { dataRoot } from '../src/paths.ts';
import { identify } from '../src/processes.ts';
import { stackPlaces } from '../src/stack-servers/places.ts';
import { freePort } from '../src/stack-servers/ports.ts';
import { allGone, holder, joinOne, leaveAfterEach, newName, pids, query, record } from './stack-support.ts';
import { until } from './support.ts';

leaveAfterEach();

test('joins of one stack share its servers; the last one out leaves neither process nor file', async () => {
  const name = newName();
  const other = holder(name);
  const mine = await joinOne({ stack: name });
  expect(JSON.parse(await other.says('{'))).toEqual({ temporal: mine.temporal, postgres: mine.postgres });
  const running = pids(name);
  expect(running).toHaveLength(3);

  other.child.stdin?.end();
  await other.ended;
  expect(await query(mine, 'select 1 as one')).toEqual([{ one: 1 }]);
  const { folder, socket } = stackPlaces({ stack: name, ephemeral: true });
  const temporary = record(name)?.temporaryFolders ?? [];
  await mine.leave();
  await until('all processes are gone', () => allGone(running), 3000);
  expect([folder, socket, ...temporary].filter((path) => existsSync(path))).toEqual([]);
});

test('four joins at once start one daemon, and may follow right after the last one left', async () => {
  const name = newName();
  for (let round = 0; round < 2; round++) {
    const stacks = await Promise.all([1, 2, 3, 4].map(() => joinOne({ stack: name, need: ['postgres'] })));
    expect(new Set(stacks.map((stack) => stack.postgres?.url)).size).toBe(1);
    const leaving = Promise.all(stacks.map((stack) => stack.leave()));
    if (round === 1) await leaving;
  }
});

test('a lease ends with its holder, however that dies', async () => {
  const name = newName();
  const other = holder(name);
  await other.says('{');
  const running = pids(name);
  other.child.kill('SIGKILL');
  await until('the stack has ended', () => allGone(running));
  expect(record(name)).toBeUndefined();
});

test('a killed daemon is noticed, takes its servers with it, and the next join starts anew', async () => {
  const name = newName();
  const before = await joinOne({ stack: name });
  const running = pids(name);
  const lost = new Promise<void>((resolve) => before.onLost(resolve));
  process.kill(running[0] ?? 0, 'SIGKILL');
  await lost;
  await expect(before.startServer('postgres')).rejects.toThrow('has ended unexpectedly');
  const after = await joinOne({ stack: name });
  expect(await query(after, 'select 1 as one')).toEqual([{ one: 1 }]);
  await until('the old processes are gone', () => allGone(running), 8000);
});

test('a frozen daemon is named, instead of being waited for', async () => {
  const name = newName();
  await joinOne({ stack: name, need: ['postgres'] });
  const [daemon = 0] = pids(name);
  process.kill(daemon, 'SIGSTOP');
  const joining = joinOne({ stack: name, need: ['postgres'] }).finally(() => process.kill(daemon, 'SIGCONT'));
  const message = `The process that runs the servers (${daemon}) does not answer.`;
  await expect(joining).rejects.toMatchObject({ message });
});

test('servers that outlive daemon and watch are ended by the next join, which says so', async () => {
  const name = newName();
  const before = await joinOne({ stack: name });
  const running = pids(name);
  const watches = execFileSync('pgrep', ['-P', String(running[0]), 'sh'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  for (const pid of [...watches, running[0] ?? 0]) process.kill(pid, 'SIGKILL');
  await until('the daemon is gone', () => allGone(running.slice(0, 1)));
  expect(running.slice(1).map((pid) => identify(pid)?.pid)).toEqual(running.slice(1));
  const lines: string[] = [];
  const after = await joinOne({ stack: name, onProgress: (line) => lines.push(line) });
  expect(lines).toContain('ended temporal and postgres, left by a stack whose process was killed');
  expect(allGone(running)).toBe(true);
  await Promise.all([before.leave(), after.leave()]);
});

test('PostgreSQL killed or stopped, then started, is on the same port with its data', async () => {
  const stack = await joinOne({ need: ['postgres'] });
  await query(stack, 'create table kept as select 42 as answer');
  for (const end of ['killServer', 'stopServer'] as const) {
    await stack[end]('postgres');
    await expect(query(stack, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await stack.startServer('postgres');
    expect(await query(stack, 'select answer from kept')).toEqual([{ answer: 42 }]);
  }
});

test('Temporal killed or stopped, then started, is on the same port with its workflows', async () => {
  const stack = await joinOne({ need: ['temporal'] });
  const connection = await Connection.connect({ address: stack.temporal?.address ?? '' });
  try {
    const client = new Client({ connection });
    const handle = await client.workflow.start('sleeper', { taskQueue: 'nobody', workflowId: 'kept' });
    const of = { namespace: 'default' };
    // As in data that is older than the app that needs it.
    await connection.operatorService.removeSearchAttributes({ ...of, searchAttributes: ['StartedBy'] });
    for (const end of ['killServer', 'stopServer'] as const) {
      await stack[end]('temporal');
      await stack.startServer('temporal');
      expect((await handle.describe()).status.name).toBe('RUNNING');
    }
    const { config } = await connection.workflowService.describeNamespace(of);
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400);
    const { customAttributes } = await connection.operatorService.listSearchAttributes(of);
    expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(['Status', 'StartedBy']));
  } finally {
    await connection.close();
  }
});

test('a server that was stopped by a lease that vanishes is started again for the others', async () => {
  const name = newName();
  const mine = await joinOne({ stack: name });
  const other = await joinOne({ stack: name });
  await other.stopServer('postgres');
  await other.leave();
  await until('PostgreSQL is back', () =>
    query(mine, 'select 1').then(
      () => true,
      () => false,
    ),
  );
});

test('a durable stack keeps data and secrets, takes the next port, and is emptied only when it is not running', async () => {
  const name = newName();
  const wanted = await freePort(45_002);
  const stranger = createServer().listen(wanted, '127.0.0.1');
  await until('the port is taken', () => stranger.listening);
  try {
    const lines: string[] = [];
    const first = await joinOne({
      stack: name,
      need: ['postgres'],
      ephemeral: false,
      onProgress: (line) => lines.push(line),
    });
    const port = Number(new URL(first.postgres?.url ?? '').port);
    expect(port).toBeGreaterThan(wanted);
    expect(lines).toContain(`port 45002 is taken by another program: PostgreSQL uses ${port}`);
    await query(first, 'create table kept as select 42 as answer');
    const secret = await first.secret('demo');
    expect(statSync(join(dataRoot, name, 'secrets.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataRoot, name, 'stack.json')).mode & 0o777).toBe(0o600);
    await expect(reset(name)).rejects.toThrow(`The stack ${name} is running and used by 1 process.`);
    await first.leave();

    const second = await joinOne({ stack: name, need: ['postgres'], ephemeral: false });
    expect(await query(second, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(await second.secret('demo')).toBe(secret);
    await second.leave();

    rmSync(join(dataRoot, name, 'postgres.ready.json'), { force: true });
    const redone = await joinOne({
      stack: name,
      need: ['postgres'],
      ephemeral: false,
      onProgress: (line) => lines.push(line),
    });
    expect(lines).toContain('the PostgreSQL data folder is half-finished; making it anew');
    await redone.leave();
  } finally {
    stranger.close();
    await reset(name);
  }
  expect(existsSync(join(dataRoot, name))).toBe(false);
});
