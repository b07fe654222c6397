import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/** Whether nothing listens on this TCP port, neither on loopback nor on all interfaces. */
export async function isFree(port: number): Promise<boolean> {
  // Some systems let a port be bound on loopback although somebody has it on all interfaces.
  return !(await answers('127.0.0.1', port, 1000)) && (await bind(port)) !== undefined;
}

/** Whether something accepts connections there, within `timeout` ms. */
export function answers(host: string, port: number, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeout, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/**
 * `preferred`, or the next free port above it; with 0, any free port. Such a one lies below those that the kernel gives
 * to outgoing connections: a server that is stopped for a while has to find its port free again.
 */
export async function freePort(preferred: number, not: number[] = []): Promise<number> {
  if (preferred === 0) return freePort(randomInt(15_000, 31_000), not);
  for (let port = preferred; port < Math.min(preferred + 200, 65_536); port++) {
    if (!not.includes(port) && (await isFree(port))) return port;
  }
  return (await bind(0)) ?? 0;
}

function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

/** So many different free ports, for programs that are to be told theirs and each other's before they start. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort(0, ports));
  return ports;
}
