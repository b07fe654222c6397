import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** The way to a server, which a test can cut: for whoever goes by it, the server is down. */
export class Wire {
  readonly #to: { host: string; port: number };
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(host: string, port: number) {
    this.#to = { host, port };
  }

  get port(): number {
    return this.#port;
  }

  /** Carries, always on the same port. */
  async up(): Promise<void> {
    if (this.#server) return;
    this.#server = createServer((here) => {
      const there = connect(this.#to);
      for (const [one, other] of [
        [here, there],
        [there, here],
      ] as const) {
        this.#open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    }).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Nobody listens on the port, and all connections are broken. */
  async down(): Promise<void> {
    if (!this.#server) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server = undefined;
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}
