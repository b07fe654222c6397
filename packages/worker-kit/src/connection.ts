import type { Client, Connection } from '@temporalio/client';
import type { LogLevel, NativeConnection } from '@temporalio/worker';
// The SDK is imported where it is used: a program that is only a client starts in half the time without the worker.
import { OperatorError } from './errors.ts';
import { everyAppUpserts, type searchAttributes } from './search-attributes.ts';

/** The task queue to use: `TASK_QUEUE` if it is set, so that two deployments in one namespace do not serve each other. */
export const taskQueue = (defaultName: string): string => process.env.TASK_QUEUE || defaultName;

/**
 * Where Temporal is, in the way of all its tools: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS…`, or a profile of temporal.toml (`TEMPORAL_PROFILE`). Else `localhost:7233`, namespace `default`.
 */
async function configured() {
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    connectionOptions,
    namespace: namespace ?? 'default',
    address: connectionOptions.address ?? 'localhost:7233',
  };
}

/**
 * A connection for `Worker.create`. Logs are quiet unless `LOG_LEVEL` (TRACE, DEBUG, INFO, WARN, ERROR) says otherwise.
 * @param upserts the search attributes that the worker's workflows upsert beside those of every app
 * @throws OperatorError if Temporal does not answer, or has no such namespace, or that lacks a search attribute.
 */
export async function connectWorker(
  ...upserts: (typeof searchAttributes)[number][]
): Promise<{ connection: NativeConnection; namespace: string }> {
  const { DefaultLogger, NativeConnection, Runtime } = await import('@temporalio/worker');
  Runtime.install({ logger: new DefaultLogger((process.env.LOG_LEVEL || 'WARN') as LogLevel) });
  const { connectionOptions, namespace, address } = await configured();
  const connection = await orExplain(NativeConnection.connect(connectionOptions), address);
  await Promise.all([
    requireNamespace(connection, namespace, address),
    requireSearchAttributes(connection, namespace, [...everyAppUpserts, ...upserts]),
  ]);
  return { connection, namespace };
}

async function requireSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  required: readonly string[],
): Promise<void> {
  const { customAttributes } = await connection.operatorService
    .listSearchAttributes({ namespace })
    // A server or a role that does not tell.
    .catch(() => ({ customAttributes: undefined }));
  const missing = customAttributes ? required.filter((name) => customAttributes[name] === undefined) : [];
  if (missing.length === 0) return;
  await connection.close();
  const names = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  throw new OperatorError(
    `The namespace ${namespace} has no search attribute ${missing.join(' and ')}.`,
    `Register it once: temporal operator search-attribute create --namespace ${namespace} ${names}`,
  );
}

/**
 * A client. Close `client.connection` when it is no longer needed.
 * @throws OperatorError if Temporal does not answer, or has no such namespace.
 */
export async function connectClient(): Promise<Client> {
  const { Client, Connection } = await import('@temporalio/client');
  const { connectionOptions, namespace, address } = await configured();
  const connection = await orExplain(Connection.connect(connectionOptions), address);
  await requireNamespace(connection, namespace, address);
  return new Client({ connection, namespace });
}

/** Only a clear no counts: there are servers, and roles, that do not tell. */
async function requireNamespace(
  connection: Connection | NativeConnection,
  namespace: string,
  address: string,
): Promise<void> {
  const answer = connection.workflowService.describeNamespace({ namespace });
  const cause = await answer.then(
    () => undefined,
    (error: unknown) => error,
  );
  if ((cause as { code?: unknown } | undefined)?.code !== notFound) return;
  await connection.close();
  throw new OperatorError(
    `Temporal at ${address} has no namespace ${namespace}.`,
    `Say with TEMPORAL_NAMESPACE which one is yours, or make it: temporal operator namespace create --namespace ${namespace}`,
    { cause },
  );
}

/** The gRPC status. */
const notFound = 5;

async function orExplain<Connected>(connecting: Promise<Connected>, address: string): Promise<Connected> {
  try {
    return await connecting;
  } catch (cause) {
    throw new OperatorError(
      `Temporal does not answer at ${address}: ${(cause as Error).message}`,
      'Start one with `pnpm stack`, or say where yours is with TEMPORAL_ADDRESS.',
      { cause },
    );
  }
}
