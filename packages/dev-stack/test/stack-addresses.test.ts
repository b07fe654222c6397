import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { OperatorError } from '../src/operator-error.ts';
import { freePort, isFree } from '../src/stack-servers/ports.ts';
import { both, joinOne, leaveAfterEach, pids, record } from './stack-support.ts';

leaveAfterEach();

test('nothing listens beyond loopback', async () => {
  const stack = await joinOne({ need: [...both, 'spicedb'] });
  const owned = pids(stack.name).slice(1);
  const addresses = owned.flatMap(listeningAddresses);
  expect(addresses.length).toBeGreaterThan(3);
  expect(addresses.filter((address) => !address.startsWith('127.0.0.1:'))).toEqual([]);
});

test('what is set in the environment is used as it is and never broken', async () => {
  const real = await joinOne();
  vi.stubEnv('TEMPORAL_ADDRESS', real.temporal?.address);
  vi.stubEnv('DATABASE_URL', real.postgres?.url);
  const stack = await joinOne({ ignoreEnvironment: false });
  expect(stack.temporal).toEqual({ address: real.temporal?.address, namespace: 'default' });
  expect(stack.postgres).toEqual(real.postgres);
  for (const server of both) {
    expect(stack.owns(server)).toBe(false);
    await expect(stack.killServer(server)).rejects.toBeInstanceOf(OperatorError);
  }
  expect(record(stack.name)?.servers).toEqual({});
});

test('an explicit address that does not answer is refused, without the password', async () => {
  const port = await freePort(0);
  expect(await isFree(port)).toBe(true);
  vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${port}`);
  await expect(joinOne({ ignoreEnvironment: false })).rejects.toThrow(
    `Nothing answers at 127.0.0.1:${port} (TEMPORAL_ADDRESS).`,
  );
  vi.unstubAllEnvs();
  vi.stubEnv('DATABASE_URL', `postgres://me:hush@127.0.0.1:${port}/app`);
  const error = (await joinOne({ ignoreEnvironment: false }).catch((caught: unknown) => caught)) as OperatorError;
  expect(error).toBeInstanceOf(OperatorError);
  expect(error.message).toContain(`me at 127.0.0.1:${port}, database app: ECONNREFUSED`);
  expect(JSON.stringify([error.message, error.nextStep])).not.toContain('hush');
});

test('a SpiceDB of somebody else needs its key, and is never broken', async () => {
  const real = await joinOne({ need: ['spicedb'] });
  vi.stubEnv('SPICEDB_ENDPOINT', real.spicedb?.endpoint);
  vi.stubEnv('SPICEDB_TOKEN', '');
  const join = () => joinOne({ need: ['spicedb'], ignoreEnvironment: false });
  await expect(join()).rejects.toThrow('SPICEDB_ENDPOINT is set, and SPICEDB_TOKEN is not.');
  vi.stubEnv('SPICEDB_TOKEN', 'theirs');
  const stack = await join();
  expect(stack.spicedb).toEqual({ endpoint: real.spicedb?.endpoint, token: 'theirs' });
  await expect(stack.stopServer('spicedb')).rejects.toThrow('is set, so SpiceDB is not');
  expect(record(stack.name)?.servers).toEqual({});
});

/** Where a process listens; on Linux, 127.0.0.1 is 0100007F in /proc. */
function listeningAddresses(pid: number): string[] {
  if (process.platform !== 'linux') {
    const said = execFileSync('lsof', ['-nP', '-a', '-iTCP', '-sTCP:LISTEN', '-p', String(pid), '-Fn'], {
      encoding: 'utf8',
    });
    return said.split('\n').flatMap((line) => (line.startsWith('n') ? [line.slice(1)] : []));
  }
  const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && sockets.includes(`socket:[${fields[9]}]`))
      .map((fields) => (fields[1] ?? '').replace('0100007F:', '127.0.0.1:')),
  );
}
