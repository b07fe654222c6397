import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../operator-error.ts';
import { identify } from '../processes.ts';
import type { Progress } from '../progress.ts';
import { fingerprint, type StackPlaces } from './places.ts';
import { makeFolderFor, postgresHome, postgresUser, reachablePrograms, type UserId } from './postgres-user.ts';
import { type ServerCommand, type ServerProcess, startServerProcess, waitUntilReady } from './server-process.ts';
import type { StartContext } from './servers.ts';

const run = promisify(execFile);

/** The application's database. */
export const startPostgres = (context: StartContext) => start('postgres', context);

/** The one that other servers keep their data in. */
export const startPlatformPostgres = (context: StartContext) => start('platform-postgres', context);

type Instance = 'postgres' | 'platform-postgres';

/**
 * Starts PostgreSQL on loopback, making its data folder first if there is none or only half of one, and resolves when
 * it takes connections.
 */
async function start(instance: Instance, context: StartContext): Promise<{ url: string }> {
  const { program, places, progress, onSpawn } = context;
  const [port = 0] = context.ports;
  const password = context.secret(instance);
  const user = postgresUser();
  const bin = reachablePrograms(program.path, program.version, user);
  const data = join(postgresHome(places.folder, places.hash, user), instance);
  await prepareData(bin, program.version, data, password, user, places.ephemeral, progress);
  removeForeignLock(data);

  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // SpiceDB tells by it what has changed since when.
    ...(instance === 'platform-postgres' ? { track_commit_timestamp: 'on' } : {}),
    // An ephemeral stack need not survive a power cut. Committed work survives a killed process either way.
    ...(places.ephemeral ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  const command: ServerCommand = {
    server: instance,
    file: join(bin, 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    log: join(places.logs, `${instance}.log`),
    cwd: data,
    user,
  };
  await startPatiently(command, data, onSpawn);
  return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` };
}

/** The file that says that initdb went to its end, and with which password. */
const marker = (data: string) => `${data}.ready.json`;

async function prepareData(
  bin: string,
  version: string,
  data: string,
  password: string,
  user: UserId | undefined,
  ephemeral: boolean,
  progress: Progress,
): Promise<void> {
  const major = Number.parseInt(version, 10);
  if (existsSync(marker(data)) && existsSync(join(data, 'PG_VERSION'))) {
    const made = JSON.parse(readFileSync(marker(data), 'utf8')) as { major: number; password: string };
    if (made.major === major && made.password === fingerprint(password)) return;
    throw new OperatorError(
      made.major === major
        ? `The password of the PostgreSQL data in ${data} is lost.`
        : `The data in ${data} was made by PostgreSQL ${made.major}, and this is ${major}.`,
      '`pnpm stack reset` empties it and starts anew.',
    );
  }
  if (existsSync(data)) progress('the PostgreSQL data folder is half-finished; making it anew');
  rmSync(marker(data), { force: true });
  rmSync(data, { recursive: true, force: true });
  makeFolderFor(data, user);
  const setup = `${data}.setup`;
  rmSync(setup, { recursive: true, force: true });
  makeFolderFor(setup, user);
  try {
    const passwordFile = join(setup, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (user) chownSync(passwordFile, user.uid, user.gid);
    await run(
      join(bin, 'initdb'),
      [
        ...['-D', data, '--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
        // Sorting by bytes is the same on every machine.
        ...['--encoding=UTF8', '--locale=C', '--no-instructions', ...(ephemeral ? ['--no-sync'] : [])],
      ],
      { cwd: data, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' }, ...user },
    );
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || String(error);
    const next = /no space left/i.test(said)
      ? 'Free some space on the disk and run it again.'
      : 'Run it again, or `pnpm run doctor`.';
    throw new OperatorError(`initdb could not make ${data}:\n${said}`, next, { cause: error });
  } finally {
    rmSync(setup, { recursive: true, force: true });
  }
  writeFileSync(marker(data), JSON.stringify({ major, password: fingerprint(password) }), { mode: 0o600 });
}

/** After a SIGKILL the old sessions hold the shared memory for a moment longer, and PostgreSQL refuses to start. */
async function startPatiently(
  command: ServerCommand,
  data: string,
  onSpawn: (server: ServerProcess) => void,
): Promise<ServerProcess> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const server = startServerProcess(command);
    onSpawn(server);
    try {
      await waitUntilReady(command, server, () => isReady(data, server));
      return server;
    } catch (error) {
      const again = error instanceof OperatorError && /pre-existing shared memory|already exists/.test(error.message);
      if (!again || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** pg_ctl's own test: the last line of postmaster.pid is the server's state. */
function isReady(data: string, server: ServerProcess): boolean {
  const lines = readLock(data);
  return Number(lines[0]) === server.identity.pid && lines[7]?.trim() === 'ready';
}

/** After a reboot the number in postmaster.pid may be another program's, and PostgreSQL would refuse to start. */
function removeForeignLock(data: string): void {
  const pid = Number(readLock(data)[0]);
  if (!pid || !identify(pid)) return;
  const program = execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
  if (!program.includes('postgres')) rmSync(join(data, 'postmaster.pid'), { force: true });
}

function readLock(data: string): string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The folders outside the stack's own that hold its data, for removing them. */
export function dataFolders(places: StackPlaces): string[] {
  mkdirSync(places.folder, { recursive: true });
  const home = postgresHome(places.folder, places.hash, postgresUser());
  return home === places.folder ? [] : [home];
}
