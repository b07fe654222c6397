import { OperatorError } from '../operator-error.ts';
import { connectToRunning } from '../stack-servers/enter.ts';
import { stackPlaces } from '../stack-servers/places.ts';
import type { StackStatus } from '../stack-servers/protocol.ts';

/** Asks the daemon of a durable stack; undefined if it does not run. */
export async function stackStatus(name: string): Promise<StackStatus | undefined> {
  const connection = await connectToRunning(stackPlaces({ stack: name }), () => {});
  if (!connection) return undefined;
  try {
    return await connection.call('status', null);
  } catch {
    // It ended while it was asked.
    return undefined;
  } finally {
    connection.end();
  }
}

/** Prints what is running. */
export async function status(name: string): Promise<void> {
  const found = await stackStatus(name);
  if (!found) return console.log(`The stack ${name} is not running.`);
  console.log(`The stack ${name} is running (process ${found.daemon}); leases: ${found.leases}`);
  for (const server of found.servers) {
    console.log(
      `  ${server.name.padEnd(10)} ${server.state}  ${server.where}${server.pid ? `  process ${server.pid}` : ''}`,
    );
  }
}

/** Prints the administrator's URL of the running PostgreSQL, password included. */
export async function databaseUrl(name: string): Promise<void> {
  const connection = await connectToRunning(stackPlaces({ stack: name }), () => {});
  if (!connection) throw notRunning(name);
  try {
    const { servers } = await connection.call('status', null);
    const postgres = servers.find((server) => server.name === 'postgres');
    if (!postgres) {
      throw new OperatorError(
        `The stack ${name} runs without a PostgreSQL of its own.`,
        'Start one in another terminal: pnpm stack',
      );
    }
    const password = await connection.call('secret', { name: 'postgres' });
    console.log(`postgres://postgres:${password}@${postgres.where}/postgres`);
  } finally {
    connection.end();
  }
}

/** The error for a command that needs a running stack. */
export function notRunning(name: string): OperatorError {
  return new OperatorError(`The stack ${name} is not running.`, 'Start it in another terminal: pnpm stack');
}
