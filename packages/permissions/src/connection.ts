import { readFileSync } from 'node:fs';
import { v1 } from '@authzed/authzed-node';
import { isLoopback, type PermissionsConfig, usesTls } from './config.ts';
import { invalidArgument, PermissionsError } from './errors.ts';
import { permissionsFailureTypes } from './failure-types.ts';
import { toPermissionsError } from './server-errors.ts';
import type { CallOptions } from './types.ts';

type Client = v1.ZedClientInterface;
type Deadline = { deadline: Date };
interface Underway {
  cancel(): void;
}

/** One channel to SpiceDB. No call goes out without a deadline. */
export interface Connection {
  /** @throws PermissionsError, or the signal's own reason. */
  unary<Request, Reply>(method: Unary<Request, Reply>, request: Request, options?: CallOptions): Promise<Reply>;
  /** Collects a stream that the request itself limits. @throws PermissionsError, or the signal's own reason. */
  page<Request, Reply>(method: Streaming<Request, Reply>, request: Request, options?: CallOptions): Promise<Reply[]>;
  close(): void;
}

/** Picks a method of the client; it is called on the client, as it needs that. */
type Unary<Request, Reply> = (
  client: Client,
) => (request: Request, options: Deadline, callback: (error: Error | null, reply?: Reply) => void) => Underway;

type Streaming<Request, Reply> = (
  client: Client,
) => (request: Request, options: Deadline) => Underway & AsyncIterable<Reply>;

/**
 * Connects with the first call, and again whenever it has to.
 *
 * @param timeout of one call, in milliseconds
 */
export function connect(config: PermissionsConfig, timeout: number): Connection {
  const client = createClient(config);
  const endpoint = config.SPICEDB_ENDPOINT;
  const deadline = () => ({ deadline: new Date(Date.now() + timeout) });

  return {
    unary: (method, request, { signal } = {}) =>
      underSignal(
        endpoint,
        signal,
        (started) =>
          new Promise((resolve, reject) => {
            const call = method(client).call(client, request, deadline(), (error, reply) =>
              reply === undefined ? reject(error) : resolve(reply),
            );
            started(call);
          }),
      ),
    page: (method, request, { signal } = {}) =>
      underSignal(endpoint, signal, async (started) => {
        const replies = [];
        const stream = method(client).call(client, request, deadline());
        started(stream);
        for await (const reply of stream) replies.push(reply);
        return replies;
      }),
    close: () => client.close(),
  };
}

async function underSignal<Reply>(
  endpoint: string,
  signal: AbortSignal | undefined,
  call: (started: (call: Underway) => void) => Promise<Reply>,
): Promise<Reply> {
  let cancel = () => {};
  try {
    signal?.throwIfAborted();
    return await call((underway) => {
      cancel = () => underway.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  } catch (error) {
    if (!signal?.aborted) throw toPermissionsError(error, endpoint);
    const { reason } = signal;
    if (reason?.name !== 'TimeoutError') throw reason;
    throw new PermissionsError(permissionsFailureTypes.unavailable, `SpiceDB at ${endpoint} did not answer in time`, {
      cause: reason,
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function createClient(config: PermissionsConfig): Client {
  const { SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token, SPICEDB_CA_CERT: authority } = config;
  const options = {
    // How long a server that is back may go unnoticed. The default grows to two minutes.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    // A proxy for the internet cannot reach this machine.
    ...(isLoopback(endpoint) ? { 'grpc.enable_http_proxy': 0 } : {}),
  };
  const none = 0; // connects to none of the services before the first call
  if (authority !== undefined) return v1.NewClientWithCustomCert(token, endpoint, read(authority), none, options);
  // Never INSECURE_LOCALHOST_ALLOWED, which means `localhost:` alone: at `127.0.0.1:` the client throws where nobody
  // can catch it. Which servers may be reached in the clear is what `usesTls` decides.
  const security = usesTls(config) ? v1.ClientSecurity.SECURE : v1.ClientSecurity.INSECURE_PLAINTEXT_CREDENTIALS;
  return v1.NewClient(token, endpoint, security, none, options);
}

function read(authority: string): Buffer {
  try {
    return readFileSync(authority);
  } catch (cause) {
    throw invalidArgument('SPICEDB_CA_CERT: must be the path of a file that can be read', { cause });
  }
}
