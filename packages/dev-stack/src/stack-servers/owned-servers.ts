import { OperatorError } from '../operator-error.ts';
import { isRunning } from '../processes.ts';
import type { Progress } from '../progress.ts';
import type { StackPlaces } from './places.ts';
import { freePort, isFree } from './ports.ts';
import type { Addresses, Programs } from './protocol.ts';
import { endServer, killServerProcess, type StackRecord } from './record.ts';
import { stackSecret } from './secrets.ts';
import { factsOf, type ServerName } from './server-facts.ts';
import type { ServerProcess } from './server-process.ts';
import { type StartContext, starts } from './servers.ts';

interface Owned {
  process?: ServerProcess;
  ports: number[];
  where: string;
  /** Set while nobody means it to run, so that its end is no news. */
  meantToEnd: boolean;
}

/** The servers of one daemon: each started, stopped and killed one step at a time. */
export class OwnedServers {
  readonly #places: StackPlaces;
  readonly #record: StackRecord;
  readonly #save: () => void;
  readonly #progress: Progress;
  readonly #owned = new Map<ServerName, Owned>();
  readonly #queues = new Map<ServerName, Promise<unknown>>();
  #programs: Programs = {};
  #addresses: Addresses = {};

  constructor(places: StackPlaces, record: StackRecord, save: () => void, progress: Progress) {
    this.#places = places;
    this.#record = record;
    this.#save = save;
    this.#progress = progress;
  }

  /** Starts, side by side, those that do not run; resolves with where they are. */
  async need(servers: ServerName[], programs: Programs): Promise<Addresses> {
    this.#programs = { ...programs, ...this.#programs };
    const results = await Promise.allSettled(servers.map((server) => this.start(server)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return Object.fromEntries(servers.map((server) => [server, this.#addresses[server]]));
  }

  /** Starts a server and what it requires, on the ports it had before if it had any, and resolves when it serves. */
  async start(server: ServerName): Promise<void> {
    await Promise.all(factsOf(server).requires.map((required) => this.start(required)));
    await this.#inTurn(server, async () => {
      const owned = this.#owned.get(server);
      if (owned?.process && isRunning(owned.process.identity)) return;
      for (let attempt = 1; ; attempt++) {
        try {
          await this.#launch(server, owned);
          const started = this.#owned.get(server);
          if (started) started.meantToEnd = false;
          return;
        } catch (error) {
          await this.#discard(server, owned);
          // Somebody took the port between the look at it and the start. Later starts must have the same port.
          const raced = owned === undefined && attempt < 4 && /address already in use/i.test(String(error));
          if (!raced) throw error;
        }
      }
    });
  }

  /** Stops a server gracefully. */
  stop(server: ServerName): Promise<void> {
    return this.#inTurn(server, async () => {
      const owned = this.#requireOwned(server);
      owned.meantToEnd = true;
      if (owned.process) {
        await endServer(server, owned.process.identity);
        await owned.process.ended;
      }
      this.#forget(server);
    });
  }

  /** Kills a server with SIGKILL and resolves when it is gone. */
  kill(server: ServerName): Promise<void> {
    return this.#inTurn(server, async () => {
      const owned = this.#requireOwned(server);
      owned.meantToEnd = true;
      if (owned.process) {
        await killServerProcess(owned.process.identity);
        await owned.process.ended;
      }
      this.#forget(server);
    });
  }

  /** Stops everything, side by side; an ephemeral stack at once, since nobody will read its data again. */
  async stopAll(): Promise<void> {
    const end = (server: ServerName) => (this.#places.ephemeral ? this.kill(server) : this.stop(server));
    // Every server that was ever asked for, so that one that is just starting is waited for and ended too.
    const asked = [...this.#queues.keys()];
    const isRequired = (server: ServerName) => asked.some((other) => factsOf(other).requires.includes(server));
    await Promise.allSettled(asked.filter((server) => !isRequired(server)).map(end));
    await Promise.allSettled(asked.filter(isRequired).map(end));
  }

  /** What there is, for `status`. */
  list() {
    return [...this.#owned].map(([name, owned]) => {
      const running = owned.process !== undefined && isRunning(owned.process.identity);
      const pid = running ? owned.process?.identity.pid : undefined;
      return { name, pid, where: owned.where, state: running ? ('running' as const) : ('stopped' as const) };
    });
  }

  async #launch<Name extends ServerName>(server: Name, before: Owned | undefined): Promise<void> {
    const { title, program: name } = factsOf(server);
    const program = this.#programs[name];
    if (!program)
      throw new OperatorError(`This stack has no program for ${title}.`, `Join it with \`need: ["${server}"]\`.`);
    if (before) await this.#requireFree(title, before.ports);
    const ports = before?.ports ?? (await this.#choosePorts(server));
    const starter: (context: StartContext) => Promise<Required<Addresses>[Name]> = starts[server];
    this.#addresses[server] = await starter({
      program,
      places: this.#places,
      ports,
      addresses: this.#addresses,
      secret: (secret) => stackSecret(this.#places.secrets, secret),
      progress: this.#progress,
      onSpawn: (started) => this.#spawned(server, started, ports),
    });
    if (!before) this.#sayMoved(server, ports);
  }

  async #choosePorts(server: ServerName): Promise<number[]> {
    const ports: number[] = [];
    for (const { port, absentIfEphemeral } of factsOf(server).ports) {
      if (!this.#places.ephemeral) ports.push(await freePort(port, ports));
      else if (!absentIfEphemeral) ports.push(await freePort(0, ports));
    }
    return ports;
  }

  #spawned(server: ServerName, process: ServerProcess, ports: number[]): void {
    const where = `127.0.0.1:${ports[0]}`;
    // Until it serves, its end is told by the start that fails.
    const owned: Owned = { process, ports, where, meantToEnd: true };
    this.#owned.set(server, owned);
    this.#record.servers[server] = { process: process.identity, ports };
    this.#save();
    void process.ended.then(({ code, signal }) => {
      if (owned.meantToEnd || this.#owned.get(server) !== owned) return;
      this.#progress(`${server} ended by itself (${signal ?? `exit code ${code}`}); see ${this.#places.logs}`);
    });
  }

  #forget(server: ServerName): void {
    const owned = this.#owned.get(server);
    if (owned) this.#owned.set(server, { ports: owned.ports, where: owned.where, meantToEnd: true });
    delete this.#record.servers[server];
    this.#save();
  }

  /** Undoes a start that failed: `before` is what there was. */
  async #discard(server: ServerName, before: Owned | undefined): Promise<void> {
    const failed = this.#owned.get(server);
    if (failed?.process && failed !== before) await killServerProcess(failed.process.identity);
    if (before) this.#owned.set(server, before);
    else this.#owned.delete(server);
    delete this.#record.servers[server];
    this.#save();
  }

  #requireOwned(server: ServerName): Owned {
    const owned = this.#owned.get(server);
    if (owned) return owned;
    throw new OperatorError(`This stack has not started ${server}.`, `Join it with \`need: ["${server}"]\`.`);
  }

  async #requireFree(title: string, ports: number[]): Promise<void> {
    for (const port of ports) {
      if (await isFree(port)) continue;
      throw new OperatorError(
        `${title} cannot start again on port ${port}: something else has taken it meanwhile.`,
        'End that program (`pnpm run doctor` names it) and start it again.',
      );
    }
  }

  #sayMoved(server: ServerName, ports: number[]): void {
    if (this.#places.ephemeral) return;
    for (const [index, { port, title }] of factsOf(server).ports.entries()) {
      const got = ports[index];
      if (got !== port) this.#progress(`port ${port} is taken by another program: ${title} uses ${got}`);
    }
  }

  #inTurn<T>(server: ServerName, step: () => Promise<T>): Promise<T> {
    const turn = (this.#queues.get(server) ?? Promise.resolve()).then(step, step);
    this.#queues.set(
      server,
      turn.catch(() => {}),
    );
    return turn;
  }
}
