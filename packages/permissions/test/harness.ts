import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, expect, inject } from 'vitest';
import {
  createPermissions,
  type ObjectReference,
  type Permissions,
  PermissionsError,
  type PermissionsFailureType,
  type PermissionsOptions,
  type Relationship,
} from '../src/index.ts';

export const schema = `
definition user {}
definition group {
  relation member: user
}
definition document {
  relation owner: user
  relation viewer: user | group#member
  permission view = viewer + owner
}`;

/** A client of the server that all test files share, closed after the file's last test. */
export function sharedPermissions(options?: PermissionsOptions): Permissions {
  const { endpoint, token } = inject('spicedb');
  const permissions = createPermissions({ SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token }, options);
  afterAll(() => permissions.close());
  return permissions;
}

/** An id that no other test uses. */
export const freshId = () => randomUUID();

export const document = (id: string): ObjectReference => ({ type: 'document', id });
export const user = (id: string): ObjectReference => ({ type: 'user', id });

export const viewer = (documentId: string, userId: string): Relationship => ({
  resource: document(documentId),
  relation: 'viewer',
  subject: user(userId),
});

export const touch = (relationship: Relationship) => ({ operation: 'touch' as const, relationship });

/** What the server holds about one document, fully consistent, in a fixed order. */
export async function heldAbout(permissions: Permissions, documentId: string): Promise<Relationship[]> {
  const filter = { resourceType: 'document', resourceId: documentId };
  const held = await all(permissions.relationships({ filter, consistency: 'full' }));
  return held.sort((one, other) => one.subject.id.localeCompare(other.subject.id));
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Awaits the failure of a call, and checks its type. */
export async function failureOf(call: Promise<unknown>, type: PermissionsFailureType): Promise<PermissionsError> {
  const error = await call.then(
    (answer) => expect.unreachable(`should have failed, and answered ${JSON.stringify(answer)}`),
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(PermissionsError);
  expect(error).toMatchObject({ type });
  return error as PermissionsError;
}

/** Takes connections, and says nothing. */
export const silentServer = () => listen(0, () => {});

/** A TCP server on loopback. `close` resolves when its port is free again. */
export async function listen(port: number, onConnection: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    onConnection(socket);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { endpoint: `127.0.0.1:${address.port}`, close };
}
