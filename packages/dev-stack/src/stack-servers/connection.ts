import { connect, type Socket } from 'node:net';
import { OperatorError } from '../operator-error.ts';
import type { Progress } from '../progress.ts';
import { type Method, type Methods, onMessages, send } from './protocol.ts';

/** A connection to a stack's daemon. */
export interface DaemonConnection {
  /** Asks the daemon; rejects with the OperatorError it answers, or when the connection ends. */
  call<M extends Method>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']>;
  /** Resolves when the connection has ended. */
  closed: Promise<void>;
  /** From now on the end of the connection is no loss. */
  expectEnd(): void;
  onLost(callback: () => void): void;
  end(): void;
}

/** Connects to a daemon's socket; undefined if nobody listens there. */
export function connectToDaemon(path: string, progress: Progress): Promise<DaemonConnection | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') resolve(undefined);
      else reject(error);
    });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(speak(socket, progress));
    });
  });
}

function speak(socket: Socket, progress: Progress): DaemonConnection {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const lostCallbacks = new Set<() => void>();
  let next = 0;
  let expected = false;
  let over = false;
  socket.on('error', () => {});
  onMessages(socket, (message) => {
    if ('progress' in message) return progress(message.progress);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if ('result' in message) asked?.resolve(message.result as never);
    else if ('error' in message) {
      const { message: text, nextStep } = message.error;
      asked?.reject(nextStep === undefined ? new Error(text) : new OperatorError(text, nextStep));
    }
  });
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      over = true;
      for (const { reject } of waiting.values()) reject(daemonGone());
      waiting.clear();
      resolve();
      if (!expected) for (const callback of lostCallbacks) callback();
    });
  });
  return {
    call(method, params) {
      return new Promise((resolve, reject) => {
        if (over) return reject(daemonGone());
        const id = next++;
        waiting.set(id, { resolve, reject });
        send(socket, { id, method, params });
      });
    },
    closed,
    expectEnd() {
      expected = true;
    },
    onLost(callback) {
      if (over && !expected) callback();
      else lostCallbacks.add(callback);
    },
    end: () => socket.end(),
  };
}

/** The daemon's end came before its answer. */
export class DaemonGone extends OperatorError {}

function daemonGone(): DaemonGone {
  return new DaemonGone(
    'The process that runs the servers has ended unexpectedly.',
    'Run it again: the next start cleans up. Its log is .data/<stack>/logs/daemon.log.',
  );
}
