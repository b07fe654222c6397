/**
 * The process that owns the servers of one stack. Each connection to its socket that has joined is a lease, which the
 * kernel ends however its holder dies; with the last lease the servers and this process end.
 *
 * Usage: stack-daemon.ts <stack name> <durable | ephemeral>
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { OperatorError } from './operator-error.ts';
import { projectRoot } from './paths.ts';
import { OwnedServers } from './stack-servers/owned-servers.ts';
import { stackPlaces } from './stack-servers/places.ts';
import { dataFolders } from './stack-servers/postgres.ts';
import { type Method, type Methods, onMessages, PROTOCOL, send } from './stack-servers/protocol.ts';
import { type StackRecord, thisProcess, writeRecord } from './stack-servers/record.ts';
import { stackSecret } from './stack-servers/secrets.ts';
import type { ServerName } from './stack-servers/server-facts.ts';

// Whoever started this process may have died before joining.
const FIRST_LEASE_WITHIN = 15_000;

const [stack, kind] = process.argv.slice(2);
const places = stackPlaces({ stack, ephemeral: kind === 'ephemeral' });
const record: StackRecord = {
  stack: places.name,
  project: projectRoot,
  socket: places.socket,
  daemon: thisProcess(),
  servers: {},
  temporaryFolders: places.ephemeral ? [places.folder, ...dataFolders(places)] : [],
};
const save = () => writeRecord(places.record, record);
const leases = new Set<Socket>();
/** Servers that a scenario has stopped, and by which lease: should it vanish, the others get them back. */
const stoppedBy = new Map<ServerName, Socket>();
const tellAll = (line: string) => {
  for (const lease of leases) send(lease, { progress: line });
};
const servers = new OwnedServers(places, record, save, tellAll);
let stopping = false;

type Handlers = {
  [M in Method]: (params: Methods[M]['params'], from: Socket) => Promise<Methods[M]['result']>;
};

const handlers: Handlers = {
  async join({ protocol }, from) {
    if (protocol !== PROTOCOL) {
      throw new OperatorError(
        'This stack was started by another version of this repository.',
        'End whatever uses it (`pnpm stack status`), then run it again.',
      );
    }
    if (!stopping) leases.add(from);
    return { stopping };
  },
  need: ({ servers: names, programs }) => servers.need(names, programs),
  async stop({ server }, from) {
    stoppedBy.set(server, from);
    await servers.stop(server);
    return null;
  },
  async start({ server }) {
    await servers.start(server);
    stoppedBy.delete(server);
    return null;
  },
  async kill({ server }, from) {
    stoppedBy.set(server, from);
    await servers.kill(server);
    return null;
  },
  secret: async ({ name }) => stackSecret(places.secrets, name),
  async leave(_, from) {
    endLease(from);
    return stopping ? new Promise<null>(() => {}) : null;
  },
  status: async () => ({ daemon: process.pid, leases: leases.size, servers: servers.list() }),
};

function endLease(lease: Socket): void {
  if (!leases.delete(lease)) return;
  if (leases.size === 0) return void shutDown();
  for (const [server, by] of stoppedBy) {
    if (by !== lease) continue;
    stoppedBy.delete(server);
    servers.start(server).catch((error: Error) => tellAll(error.message));
  }
}

async function shutDown(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await servers.stopAll();
  for (const folder of record.temporaryFolders) rmSync(folder, { recursive: true, force: true });
  rmSync(places.record, { force: true });
  // The socket goes last: until then whoever comes is told to wait for the end of this process.
  rmSync(places.socket, { force: true });
  process.exit(0);
}

const door = createServer((socket) => {
  onMessages(socket, (message) => {
    if (!('method' in message)) return;
    const handle = handlers[message.method] as (params: unknown, from: Socket) => Promise<unknown>;
    handle(message.params, socket).then(
      (result) => send(socket, { id: message.id, result }),
      (error: Error) => {
        if (!(error instanceof OperatorError)) console.error(error);
        const nextStep = error instanceof OperatorError ? error.nextStep : undefined;
        send(socket, { id: message.id, error: { message: error.message, nextStep } });
      },
    );
  });
  socket.on('error', () => {});
  socket.on('close', () => endLease(socket));
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void shutDown());
save();
door.listen(places.socket, () => {
  chmodSync(places.socket, 0o600);
  setTimeout(() => {
    if (leases.size === 0) void shutDown();
  }, FIRST_LEASE_WITHIN).unref();
});
