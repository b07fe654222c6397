import { OperatorError } from './operator-error.ts';
import { ensureProgram } from './programs.ts';
import type { Progress } from './progress.ts';
import { enterStack } from './stack-servers/enter.ts';
import { useExplicit } from './stack-servers/explicit.ts';
import { type StackPlaces, stackPlaces } from './stack-servers/places.ts';
import type { Addresses, Programs } from './stack-servers/protocol.ts';
import { explicitVariable, factsOf, type ServerName, withRequired } from './stack-servers/server-facts.ts';
import type { SpiceDbAddress } from './stack-servers/spicedb.ts';
import type { TemporalAddress } from './stack-servers/temporal.ts';

export type { ServerName, SpiceDbAddress, TemporalAddress };

/** What to join, and how. */
export interface JoinOptions {
  need: ServerName[];
  /** Name of the stack; `main` by default, and a random one for ephemeral stacks. */
  stack?: string | undefined;
  /** For tests: data in a temporary folder that goes with the stack, any free ports, no Web UI. */
  ephemeral?: boolean | undefined;
  /** For tests as well: servers of its own, whatever `TEMPORAL_ADDRESS`, `DATABASE_URL` and `SPICEDB_ENDPOINT` say. */
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
  /** Set if SpiceDB was needed. */
  readonly spicedb?: SpiceDbAddress;
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

/**
 * Joins the stack of this clone, starting whatever is needed and does not run. `TEMPORAL_ADDRESS` (with
 * `TEMPORAL_NAMESPACE`), `DATABASE_URL` and `SPICEDB_ENDPOINT` (with `SPICEDB_TOKEN`), if set, are used in place of
 * servers of the stack's own; profiles of a temporal.toml are ignored.
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
  const explicit = options.ignoreEnvironment ? [] : options.need.filter(explicitVariable);
  const own = options.need.filter((server) => !explicit.includes(server));
  const [programs, ...given] = await Promise.all([programsFor(own, progress), ...explicit.map(useExplicit)]);

  const connection = await enterStack(places, progress);
  try {
    const started = await connection.call('need', { servers: own, programs });
    if (!options.ignoreEnvironment) refuseOtherKey(started.spicedb?.token);
    return lease(places, connection, Object.assign(started, ...given), own);
  } catch (error) {
    await leaveQuietly(connection);
    throw error;
  }
}

/** A SpiceDB that runs already has the key that it was started with. */
function refuseOtherKey(used: string | undefined): void {
  const { SPICEDB_TOKEN: wanted } = process.env;
  if (!used || !wanted || used === wanted) return;
  throw new OperatorError(
    "SPICEDB_TOKEN is not the key of this stack's SpiceDB, which runs already.",
    'Unset it, or end what uses the stack (`pnpm stack status`) and run this again.',
  );
}

type Connection = Awaited<ReturnType<typeof enterStack>>;

function lease(places: StackPlaces, connection: Connection, addresses: Addresses, own: ServerName[]): Stack {
  const owned = (server: ServerName) => {
    if (own.includes(server)) return { server };
    const variable = explicitVariable(server);
    throw variable
      ? new OperatorError(
          `${variable} is set, so ${factsOf(server).title} is not this stack's to stop or start.`,
          `Unset ${variable} to run this on servers of its own.`,
        )
      : new OperatorError(`This lease did not ask for ${server}.`, 'Join with it in `need`.');
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
  // One after another: two builds at once would take as long, and their progress would be mixed up.
  for (const name of new Set(withRequired(servers).map((server) => factsOf(server).program))) {
    const { path, version } = await ensureProgram(name, { onProgress });
    programs[name] = { path, version };
  }
  return programs;
}
