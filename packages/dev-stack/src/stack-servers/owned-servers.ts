import { OperatorError } from '../operator-error.ts';
import { isRunning } from '../processes.ts';
import type { Progress } from '../progress.ts';
import type { StackPlaces } from './places.ts';
import { isFree } from './ports.ts';
import { postgresPort, startPostgres } from './postgres.ts';
import type { Addresses, Programs, ServerName } from './protocol.ts';
import { endServer, killServerProcess, type StackRecord } from './record.ts';
import { stackSecret } from './secrets.ts';
import type { ServerProcess } from './server-process.ts';
import { startTemporal, temporalPorts } from './temporal.ts';

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

  /** Starts a server, on the ports it had before if it had any, and resolves when it serves. */
  start(server: ServerName): Promise<void> {
    return this.#inTurn(server, async () => {
      const owned = this.#owned.get(server);
      if (owned?.process && isRunning(owned.process.identity)) return;
      const start = () => (server === 'temporal' ? this.#startTemporal(owned) : this.#startPostgres(owned));
      for (let attempt = 1; ; attempt++) {
        try {
          await start();
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
    await Promise.allSettled([...this.#queues.keys()].map(end));
  }

  /** What there is, for `status`. */
  list() {
    return [...this.#owned].map(([name, owned]) => {
      const running = owned.process !== undefined && isRunning(owned.process.identity);
      const pid = running ? owned.process?.identity.pid : undefined;
      return { name, pid, where: owned.where, state: running ? ('running' as const) : ('stopped' as const) };
    });
  }

  async #startTemporal(before: Owned | undefined): Promise<void> {
    const program = this.#programs.temporal;
    if (!program) throw new OperatorError('This stack has no Temporal server.', 'Join it with `need: ["temporal"]`.');
    const ports = before
      ? { port: before.ports[0] ?? 0, uiPort: before.ports[1] }
      : await temporalPorts(this.#places.ephemeral);
    if (before) await this.#requireFree('temporal', before.ports);
    const used = ports.uiPort === undefined ? [ports.port] : [ports.port, ports.uiPort];
    const onSpawn = (started: ServerProcess) => this.#spawned('temporal', started, used, `127.0.0.1:${ports.port}`);
    const { reach } = await startTemporal(program, this.#places, ports, onSpawn);
    if (!before) this.#sayMoved({ 7233: ports.port, 8233: ports.uiPort ?? 8233 }, 'the Temporal dev server');
    this.#addresses.temporal = reach;
  }

  async #startPostgres(before: Owned | undefined): Promise<void> {
    const programs = this.#programs.postgres;
    if (!programs) throw new OperatorError('This stack has no PostgreSQL.', 'Join it with `need: ["postgres"]`.');
    const port = before?.ports[0] ?? (await postgresPort(this.#places.ephemeral));
    if (before) await this.#requireFree('postgres', before.ports);
    const password = stackSecret(this.#places.secrets, 'postgres');
    const onSpawn = (started: ServerProcess) => this.#spawned('postgres', started, [port], `127.0.0.1:${port}`);
    const { url } = await startPostgres(programs, this.#places, port, password, this.#progress, onSpawn);
    if (!before) this.#sayMoved({ 45002: port }, 'PostgreSQL');
    this.#addresses.postgres = { url };
  }

  #spawned(server: ServerName, process: ServerProcess, ports: number[], where: string): void {
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

  async #requireFree(server: ServerName, ports: number[]): Promise<void> {
    for (const port of ports) {
      if (await isFree(port)) continue;
      throw new OperatorError(
        `${server} cannot start again on port ${port}: something else has taken it meanwhile.`,
        'End that program (`pnpm run doctor` names it) and start it again.',
      );
    }
  }

  #sayMoved(ports: Record<number, number>, title: string): void {
    if (this.#places.ephemeral) return;
    for (const [wanted, got] of Object.entries(ports)) {
      if (Number(wanted) !== got) this.#progress(`port ${wanted} is taken by another program: ${title} uses ${got}`);
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
