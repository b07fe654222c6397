import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../operator-error.ts';
import { scramVerifier } from '../scram-verifier.ts';
import { serves } from './grpc.ts';
import { type ServerCommand, startServerProcess, waitUntilReady } from './server-process.ts';
import type { StartContext } from './servers.ts';

const run = promisify(execFile);

/** How to reach the SpiceDB of a stack. */
export interface SpiceDbAddress {
  /** Host and port of the gRPC front end. */
  endpoint: string;
  /** The preshared key. */
  token: string;
}

/** Database and role of its own, on the PostgreSQL of the platform. */
const name = 'spicedb';

/** Brings its database to this version's tables, starts it on loopback and resolves when it serves. */
export async function startSpiceDb(context: StartContext): Promise<SpiceDbAddress> {
  const { program, places, addresses } = context;
  const [port = 0] = context.ports;
  const password = context.secret('spicedb-database');
  const adminUrl = addresses['platform-postgres']?.url ?? '';
  await prepareDatabase(adminUrl, password);
  // By the environment: a command line can be read by everybody.
  const token = process.env.SPICEDB_TOKEN || context.secret('spicedb');
  const database = new URL(`/${name}?sslmode=disable`, adminUrl);
  database.username = name;
  database.password = password;
  const env = { SPICEDB_GRPC_PRESHARED_KEY: token, SPICEDB_DATASTORE_CONN_URI: database.href };
  const engine = ['--datastore-engine', 'postgres'];
  const quiet = ['--log-level', 'warn', '--log-format', 'json', '--skip-release-check'];
  try {
    // Harmless if it is there already; 0.2 s.
    await run(program.path, ['datastore', 'migrate', 'head', ...engine, ...quiet], {
      env: { ...env, PATH: process.env.PATH ?? '' },
      cwd: places.folder,
      timeout: 60_000,
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').slice(-3).join('\n') || String(error);
    throw new OperatorError(
      `SpiceDB could not prepare its database:\n${said.replaceAll(password, '…')}`,
      'If another version made it, `pnpm stack reset` empties it and starts anew.',
      { cause: error },
    );
  }
  const command: ServerCommand = {
    server: 'spicedb',
    file: program.path,
    log: join(places.logs, `${name}.log`),
    cwd: places.folder,
    env,
    args: [
      ...['serve', '--grpc-addr', `127.0.0.1:${port}`, '--http-enabled=false', '--metrics-enabled=false'],
      ...['--telemetry-endpoint', '', ...engine, ...quiet],
      // An open stream does not keep it from ending for longer.
      ...['--grpc-shutdown-grace-period', '1s', '--dispatch-cache-max-cost', '32MiB'],
      ...['--datastore-conn-pool-read-max-open', '10', '--datastore-conn-pool-read-min-open', '2'],
      ...['--datastore-conn-pool-write-max-open', '10', '--datastore-conn-pool-write-min-open', '2'],
    ],
  };
  const server = startServerProcess(command);
  context.onSpawn(server);
  await waitUntilReady(command, server, () => serves(`127.0.0.1:${port}`));
  return { endpoint: `127.0.0.1:${port}`, token };
}

async function prepareDatabase(adminUrl: string, password: string): Promise<void> {
  const { default: pg } = await import('pg');
  const admin = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  admin.on('error', () => {});
  await admin.connect();
  try {
    const { rows: roles } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
    if (roles.length === 0) await admin.query(`CREATE ROLE ${name}`);
    await admin.query(`ALTER ROLE ${name} LOGIN PASSWORD ${pg.escapeLiteral(scramVerifier(password))}`);
    const { rows: databases } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (databases.length === 0) await admin.query(`CREATE DATABASE ${name} OWNER ${name}`);
    await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  } finally {
    await admin.end();
  }
}
