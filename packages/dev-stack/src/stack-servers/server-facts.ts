import type { ProgramName } from '../programs/definitions.ts';

/** What everybody has to know of a server, and nothing that takes time to load. */
export interface ServerFacts {
  /** For messages: `the Temporal dev server`. */
  title: string;
  program: ProgramName;
  /** The ports everyone knows, by what is there; a taken one means the next free one. Ephemeral stacks use any. */
  ports: readonly { port: number; title: string; absentIfEphemeral?: true }[];
  /** Set in the environment, it names a server that is used in place of one of the stack's own. */
  variable?: string;
  /** Servers that have to serve before this one can. */
  requires: readonly ServerName[];
  /** The signal that ends it in order, and how long (ms) that may take. */
  ending: { signal: 'INT' | 'TERM'; withinMs: number };
}

/** SIGINT is PostgreSQL's fast shutdown: sessions are ended, data is written. */
const fastShutdown = { signal: 'INT', withinMs: 6000 } as const;

/**
 * The servers that a stack can own. One more is an entry here, a way to start it (servers.ts), and a program
 * (programs/definitions.ts).
 */
export const serverFacts = {
  temporal: {
    title: 'the Temporal dev server',
    program: 'temporal',
    ports: [
      { port: 7233, title: 'Temporal' },
      { port: 8233, title: 'Temporal Web UI', absentIfEphemeral: true },
    ],
    variable: 'TEMPORAL_ADDRESS',
    requires: [],
    ending: { signal: 'TERM', withinMs: 2000 },
  },
  /** The application's database. */
  postgres: {
    title: 'PostgreSQL',
    program: 'postgres',
    ports: [{ port: 45_002, title: 'PostgreSQL' }],
    variable: 'DATABASE_URL',
    requires: [],
    ending: fastShutdown,
  },
  /** What other servers keep their data in: when the application's database is down, they are not. */
  'platform-postgres': {
    title: 'the PostgreSQL of the platform',
    program: 'postgres',
    ports: [{ port: 45_001, title: 'PostgreSQL of the platform' }],
    requires: [],
    ending: fastShutdown,
  },
  spicedb: {
    title: 'SpiceDB',
    program: 'spicedb',
    ports: [{ port: 50_051, title: 'SpiceDB' }],
    variable: 'SPICEDB_ENDPOINT',
    requires: ['platform-postgres'],
    ending: { signal: 'TERM', withinMs: 3000 },
  },
} satisfies Record<string, Omit<ServerFacts, 'requires'> & { requires: readonly string[] }>;

/** A server that a stack can own. */
export type ServerName = keyof typeof serverFacts;

/** The facts of one server. */
export const factsOf = (server: ServerName): ServerFacts => serverFacts[server] as ServerFacts;

export const serverNames = Object.keys(serverFacts) as ServerName[];

/** The environment variable that takes this server out of the stack's hands, if it is set. */
export const explicitVariable = (server: ServerName): string | undefined => {
  const { variable } = factsOf(server);
  return variable !== undefined && process.env[variable] ? variable : undefined;
};

/** These servers and all that they require, each after what it requires. */
export function withRequired(servers: readonly ServerName[]): ServerName[] {
  const all = servers.flatMap((server) => [...withRequired(factsOf(server).requires), server]);
  return [...new Set(all)];
}
