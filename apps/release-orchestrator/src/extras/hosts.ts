import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledProgram, type Child, freePorts, OperatorError, type Session } from '@repo/dev-stack';
import { type Environment, environments } from '../contract.ts';
import { readIfThere } from '../services/durable-file.ts';
import type { Surroundings } from './surroundings.ts';

/** The four environments as this repository brings them along: one process each. */

const program = fileURLToPath(new URL('./environment-host/main.ts', import.meta.url));

/** Where people find them, if nobody else has the ports. */
const usualPorts = [9401, 9402, 9403, 9404];

export interface Hosts {
  /** As in `ENVIRONMENTS`. */
  addresses: Surroundings['environments'];
  processes: Record<Environment, Child>;
  /** Faults on purpose, for hosts that were started with them; see environment-host/main.ts. */
  setFaults(environment: Environment, faults: Faults): Promise<void>;
  /** How many activations are being held there. */
  held(environment: Environment): Promise<number>;
}

export interface Faults {
  /** So many of the next answers about health say that the deployable is ill. */
  unhealthy?: number;
  /** Activations that arrive wait, with nothing switched, until this is false again. */
  holdActivations?: boolean;
}

/**
 * Starts the four, and resolves when all of them serve.
 * @param folder in which each keeps what it serves, across restarts
 * @param own for one `start` alone: any free ports, and faults on request
 */
export async function startHosts(session: Session, folder: string, { own }: { own: boolean }): Promise<Hosts> {
  const file = await bundledProgram(program);
  const ports = !own && (await areFree(usualPorts)) ? usualPorts : await freePorts(environments.length);
  const start = async (environment: Environment, index: number) => {
    const [port, token] = [ports[index], await tokenOf(`${folder}/${environment}.token`)];
    const env = {
      ENVIRONMENT: environment,
      PORT: String(port),
      DATA_DIR: `${folder}/${environment}`,
      ENVIRONMENT_TOKEN: token,
    };
    const args = own ? ['--faults'] : [];
    const child = await session.spawn({ name: `environment ${environment}`, file, args, env });
    return [environment, child, { url: `http://127.0.0.1:${port}`, token }] as const;
  };
  const started = await Promise.all(environments.map(start)).catch((error: Error) => {
    if (!error.message.includes('EADDRINUSE')) throw error;
    // Another clone, in the same second.
    const message = `Somebody else has taken one of the ports ${ports.join(', ')} in this moment.`;
    throw new OperatorError(message, 'Run this again: it takes other ones.', { cause: error });
  });
  const addresses = Object.fromEntries(started.map(([environment, , address]) => [environment, address]));
  const faults = async (environment: Environment, init: RequestInit) => {
    const { url = '', token = '' } = addresses[environment] ?? {};
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/-/faults`, { ...init, headers });
    if (!response.ok) throw new Error(`${environment} answers ${response.status}: ${await response.text()}`);
    return (await response.json()) as { held: number };
  };
  return {
    addresses,
    processes: Object.fromEntries(started) as Record<Environment, Child>,
    setFaults: async (environment, wanted) => {
      await faults(environment, { method: 'PUT', body: JSON.stringify(wanted) });
    },
    held: async (environment) => (await faults(environment, {})).held,
  };
}

/** The same as before, in a file that only this user can read: a worker that knows it outlives the hosts. */
export async function tokenOf(file: string): Promise<string> {
  const known = await readIfThere(file);
  if (known) return String(known);
  const token = randomBytes(24).toString('base64url');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, token, { mode: 0o600 });
  return token;
}

async function areFree(ports: number[]): Promise<boolean> {
  const isFree = (port: number) =>
    new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
    });
  return (await Promise.all(ports.map(isFree))).every(Boolean);
}
