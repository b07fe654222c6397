import type { Socket } from 'node:net';
import type { ProgramName } from '../programs/definitions.ts';
import type { ServerName } from './server-facts.ts';
import type { SpiceDbAddress } from './spicedb.ts';
import type { TemporalAddress } from './temporal.ts';

/** Raised whenever client and daemon of different versions could misunderstand each other. */
export const PROTOCOL = 2;

/** What a client asks, by method: parameters and result. */
export interface Methods {
  /** Makes this connection a lease. */
  join: { params: { protocol: number }; result: { stopping: boolean } };
  /** Starts what does not run yet, and what that requires; `programs` says with which programs. */
  need: { params: { servers: ServerName[]; programs: Programs }; result: Addresses };
  stop: { params: { server: ServerName }; result: null };
  start: { params: { server: ServerName }; result: null };
  kill: { params: { server: ServerName }; result: null };
  secret: { params: { name: string }; result: string };
  /** Answered only if others stay; the last one sees the connection end instead. */
  leave: { params: null; result: null };
  /** For commands: needs no lease. */
  status: { params: null; result: StackStatus };
}

/** A program that a server is started with: the file, or for PostgreSQL the folder with its programs. */
export interface ProgramFile {
  path: string;
  version: string;
}

/** The programs a daemon starts servers with. */
export type Programs = Partial<Record<ProgramName, ProgramFile>>;

/** Where the servers are. */
export interface Addresses {
  temporal?: TemporalAddress;
  /** The administrator's URL of the database `postgres`. */
  postgres?: { url: string };
  'platform-postgres'?: { url: string };
  spicedb?: SpiceDbAddress;
}

/** What a running stack looks like from outside; no secrets in it. */
export interface StackStatus {
  daemon: number;
  leases: number;
  servers: { name: ServerName; pid: number | undefined; where: string; state: 'running' | 'stopped' }[];
}

export type Method = keyof Methods;

/** One line of the protocol, in either direction. */
export type Message =
  | { id: number; method: Method; params: unknown }
  | { id: number; result: unknown }
  | { id: number; error: { message: string; nextStep?: string | undefined } }
  | { progress: string };

/** Writes one message; a peer that has gone is no error here, for its end is seen elsewhere. */
export function send(socket: Socket, message: Message): void {
  if (!socket.destroyed && socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls `receive` for each message of the peer. */
export function onMessages(socket: Socket, receive: (message: Message) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') continue;
      let message: Message;
      try {
        message = JSON.parse(line) as Message;
      } catch {
        // Not a peer of ours; one bad line must not end the daemon with everybody's servers.
        return socket.destroy();
      }
      receive(message);
    }
  });
}
