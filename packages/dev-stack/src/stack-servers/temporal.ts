import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { searchAttributes } from '@repo/worker-kit/search-attributes';
import { addKeywords, servesNamespace, setRetention } from './grpc.ts';
import { type ServerCommand, startServerProcess, waitUntilReady } from './server-process.ts';
import type { StartContext } from './servers.ts';

/** How to reach the Temporal dev server of a stack. */
export interface TemporalAddress {
  /** Host and port of the gRPC front end. */
  address: string;
  namespace: string;
  /** The Web UI; ephemeral stacks have none. */
  uiUrl?: string;
}

const NAMESPACE = 'default';

const RETENTION_DAYS = 30;

// At the default of 20 polls a second every task waits about 45 ms in the transfer queue.
const FAST = ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS=2000`);

// One partition, and so one order: with the default of four, tasks of one queue are handed out in no order at all.
const ORDERED = ['Read', 'Write'].map((side) => `matching.numTaskqueue${side}Partitions=1`);

/** Starts the dev server and resolves when it serves the namespace. */
export async function startTemporal({ program, places, ports, onSpawn }: StartContext): Promise<TemporalAddress> {
  const [port = 0, uiPort] = ports;
  const data = join(places.folder, 'temporal');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const database = join(data, 'temporal.db');
  const isNew = !existsSync(database);
  const command: ServerCommand = {
    server: 'temporal',
    file: program.path,
    log: join(places.logs, 'temporal.log'),
    cwd: data,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
      ...(uiPort === undefined
        ? ['--headless']
        : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort), '--ui-disable-news-fetch']),
      ...['--db-filename', database],
      // Survives a killed server process; only a power cut could lose the last moments.
      ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=off'],
      ...[...FAST, ...ORDERED].flatMap((setting) => ['--dynamic-config-value', setting]),
      ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      ...['--log-level', 'error', '--disable-config-file', '--disable-config-env', '--color', 'never'],
    ],
  };
  const server = startServerProcess(command);
  onSpawn(server);
  const address = `127.0.0.1:${port}`;
  await waitUntilReady(command, server, () => servesNamespace(address, NAMESPACE));
  // The dev server has no option for it and keeps closed workflows for one day only.
  await setRetention(address, NAMESPACE, RETENTION_DAYS);
  // The option above is for a new database only, and this one may be older than the app that needs the attribute.
  if (!isNew) await addKeywords(address, NAMESPACE, searchAttributes);
  const uiUrl = uiPort === undefined ? {} : { uiUrl: `http://127.0.0.1:${uiPort}` };
  return { address, namespace: NAMESPACE, ...uiUrl };
}
