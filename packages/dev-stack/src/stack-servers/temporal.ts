import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { servesNamespace, setRetention } from './grpc.ts';
import type { StackPlaces } from './places.ts';
import { freePort } from './ports.ts';
import { type ServerCommand, type ServerProcess, startServerProcess, waitUntilReady } from './server-process.ts';

/** How to reach the Temporal dev server of a stack. */
export interface TemporalAddress {
  /** Host and port of the gRPC front end. */
  address: string;
  namespace: string;
  /** The Web UI; ephemeral stacks have none. */
  uiUrl?: string;
}

const NAMESPACE = 'default';

/** Search attributes that every app of this repository upserts. */
const SEARCH_ATTRIBUTES = ['Status=Keyword', 'StartedBy=Keyword'];

const RETENTION_DAYS = 30;

// At the default of 20 polls a second every task waits about 45 ms in the transfer queue.
const FAST = ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS=2000`);

/** The ports of the dev server: those everyone knows, or the next free ones. */
export async function temporalPorts(ephemeral: boolean): Promise<{ port: number; uiPort: number | undefined }> {
  if (ephemeral) return { port: await freePort(0), uiPort: undefined };
  const port = await freePort(7233);
  return { port, uiPort: await freePort(8233, [port]) };
}

/** Starts the dev server and resolves when it serves the namespace. */
export async function startTemporal(
  program: string,
  places: StackPlaces,
  ports: { port: number; uiPort: number | undefined },
  onSpawn: (server: ServerProcess) => void,
): Promise<{ server: ServerProcess; reach: TemporalAddress }> {
  const data = join(places.folder, 'temporal');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const command: ServerCommand = {
    name: 'temporal',
    title: 'The Temporal dev server',
    file: program,
    log: join(places.logs, 'temporal.log'),
    cwd: data,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.port)],
      ...(ports.uiPort === undefined
        ? ['--headless']
        : ['--ui-ip', '127.0.0.1', '--ui-port', String(ports.uiPort), '--ui-disable-news-fetch']),
      ...['--db-filename', join(data, 'temporal.db')],
      // Survives a killed server process; only a power cut could lose the last moments.
      ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=off'],
      ...FAST.flatMap((setting) => ['--dynamic-config-value', setting]),
      ...SEARCH_ATTRIBUTES.flatMap((attribute) => ['--search-attribute', attribute]),
      ...['--log-level', 'error', '--disable-config-file', '--disable-config-env', '--color', 'never'],
    ],
  };
  const server = startServerProcess(command);
  onSpawn(server);
  const address = `127.0.0.1:${ports.port}`;
  await waitUntilReady(command, server, () => servesNamespace(address, NAMESPACE));
  // The dev server has no option for it and keeps closed workflows for one day only.
  await setRetention(address, NAMESPACE, RETENTION_DAYS);
  const uiUrl = ports.uiPort === undefined ? {} : { uiUrl: `http://127.0.0.1:${ports.uiPort}` };
  return { server, reach: { address, namespace: NAMESPACE, ...uiUrl } };
}
