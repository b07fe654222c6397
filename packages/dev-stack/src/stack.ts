import { OperatorError } from './operator-error.ts';
import { ensureProgram } from './programs.ts';
import type { Progress } from './progress.ts';
import { enterStack } from './stack-servers/enter.ts';
import { checkDatabaseUrl, checkTemporalAddress } from './stack-servers/explicit.ts';
import { type StackPlaces, stackPlaces } from './stack-servers/places.ts';
import type { Addresses, Programs, ServerName } from './stack-servers/protocol.ts';
import type { TemporalAddress } from './stack-servers/temporal.ts';

export type { ServerName, TemporalAddress };

/** What to join, and how. */
export interface JoinOptions {
  need: ServerName[];
  /** Name of the stack; `main` by default, and a random one for ephemeral stacks. */
  stack?: string | undefined;
  /** For tests: data in a temporary folder that goes with the stack, any free ports, no Web UI. */
  ephemeral?: boolean | undefined;
  /** For tests as well: servers of its own, whatever `TEMPORAL_ADDRESS` and `DATABASE_URL` say. */
  ignoreEnvironment?: boolean | undefined;
  onProgress?: Progress | undefined;
}

/** A lease on a stack of servers. They run for as long as somebody holds one. */
export interface Stack {
  readonly name: string;
  /** Set if Temporal was needed. */
  readonly temporal?: TemporalAddress;
  /** Set if PostgreSQL was needed: the administrator's URL of the database `postgres`. */
  readonly postgres?: { url: string };
  /** False for a server set explicitly in the environment: it is used as it is and never broken. */
  owns(server: ServerName): boolean;
  /** Stops a server gracefully. Refuses (OperatorError) what the stack does not own, as do the next two. */
  stopServer(server: ServerName): Promise<void>;
  /** Starts it again on the same port; resolves when it serves. */
  startServer(server: ServerName): Promise<void>;
  /** Kills it with SIGKILL; resolves when it is gone. */
  killServer(server: ServerName): Promise<void>;
  /** A random secret of this stack; the same for everybody and on every start. */
  secret(name: string): Promise<string>;
  /** Gives the lease back; resolves when that is done and, for the last one, when everything has stopped. */
  leave(): Promise<void>;
  /** Calls back once if the process that owns the servers dies while this lease is held. */
  onLost(callback: () => void): void;
}

const EXPLICIT = { temporal: 'TEMPORAL_ADDRESS', postgres: 'DATABASE_URL' } as const;

/**
 * Joins the stack of this clone, starting whatever is needed and does not run. `TEMPORAL_ADDRESS` (with
 * `TEMPORAL_NAMESPACE`) and `DATABASE_URL`, if set, are used in place of servers of the stack's own; profiles of a
 * temporal.toml are ignored.
 * @throws OperatorError when a program is missing, a server does not start, or an explicit address does not answer
 */
export async function joinStack(options: JoinOptions): Promise<Stack> {
  if (process.platform === 'win32') {
    throw new OperatorError(
      'The servers do not run on Windows itself.',
      'Use WSL 2: https://learn.microsoft.com/windows/wsl',
    );
  }
  const progress = options.onProgress ?? (() => {});
  const places = stackPlaces(options);
  const explicit = options.ignoreEnvironment ? [] : options.need.filter((server) => process.env[EXPLICIT[server]]);
  const own = options.need.filter((server) => !explicit.includes(server));
  const given: Addresses = {};
  const [programs] = await Promise.all([
    programsFor(own, progress),
    explicit.includes('temporal') && checkTemporalAddress().then((found) => (given.temporal = found)),
    explicit.includes('postgres') && checkDatabaseUrl().then((url) => (given.postgres = { url })),
  ]);

  const connection = await enterStack(places, progress);
  try {
    const started = await connection.call('need', { servers: own, programs });
    return lease(places, connection, { ...started, ...given }, own);
  } catch (error) {
    await leaveQuietly(connection);
    throw error;
  }
}

type Connection = Awaited<ReturnType<typeof enterStack>>;

function lease(places: StackPlaces, connection: Connection, addresses: Addresses, own: ServerName[]): Stack {
  const owned = (server: ServerName) => {
    if (own.includes(server)) return { server };
    throw new OperatorError(
      process.env[EXPLICIT[server]]
        ? `${EXPLICIT[server]} is set, so ${server} is not this stack's to stop or start.`
        : `This lease did not ask for ${server}.`,
      process.env[EXPLICIT[server]]
        ? `Unset ${EXPLICIT[server]} to run this on servers of its own.`
        : 'Join with it in `need`.',
    );
  };
  return {
    name: places.name,
    ...addresses,
    owns: (server) => own.includes(server),
    stopServer: async (server) => void (await connection.call('stop', owned(server))),
    startServer: async (server) => void (await connection.call('start', owned(server))),
    killServer: async (server) => void (await connection.call('kill', owned(server))),
    secret: (name) => connection.call('secret', { name }),
    leave: () => leaveQuietly(connection),
    onLost: (callback) => connection.onLost(callback),
  };
}

async function leaveQuietly(connection: Connection): Promise<void> {
  connection.expectEnd();
  await Promise.race([connection.call('leave', null).catch(() => {}), connection.closed]);
  connection.end();
  await connection.closed;
}

async function programsFor(servers: ServerName[], onProgress: Progress): Promise<Programs> {
  const programs: Programs = {};
  if (servers.includes('temporal')) programs.temporal = (await ensureProgram('temporal', { onProgress })).path;
  if (servers.includes('postgres')) {
    const { path, version } = await ensureProgram('postgres', { onProgress });
    programs.postgres = { folder: path, version };
  }
  return programs;
}
