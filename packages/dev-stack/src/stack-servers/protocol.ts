import type { Socket } from 'node:net';
import type { TemporalAddress } from './temporal.ts';

/** Raised whenever client and daemon of different versions could misunderstand each other. */
export const PROTOCOL = 1;

/** A server that a stack can own. */
export type ServerName = 'temporal' | 'postgres';

/** What a client asks, by method: parameters and result. */
export interface Methods {
  /** Makes this connection a lease. */
  join: { params: { protocol: number }; result: { stopping: boolean } };
  /** Starts what does not run yet; `programs` says with which programs. */
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

/** The programs a daemon starts servers with. */
export interface Programs {
  temporal?: string;
  postgres?: { folder: string; version: string };
}

/** Where the servers are. */
export interface Addresses {
  temporal?: TemporalAddress;
  postgres?: { url: string };
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
