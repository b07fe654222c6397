import { fileURLToPath } from 'node:url';
import { type Child, freePorts, type ServerName, type Session } from '@repo/dev-stack';
import { connectClient, freshWorkflowBundle } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { type Service, services } from '../contract.ts';
import { Books } from './invariants.ts';
import { provisionServices, serviceProgram } from './local-services.ts';
import { tripsThatGoOn } from './same-by-hand.ts';

/**
 * What all scenarios share: three services, a worker and a client of this `start` alone. Whatever is broken through it
 * is put right by `mend`, which runs after each scenario, however it ended.
 */
export interface Demo {
  client: Client;
  urls: Record<Service, string>;
  books: Books;
  /** The services' processes. */
  processes: Record<Service, Child>;
  stopService(service: Service): Promise<void>;
  /** Resolves when it serves again; does nothing if it is not stopped. */
  startService(service: Service): Promise<void>;
  /** SIGSTOP: calls to it hang, until it is thawed. */
  freezeService(service: Service): void;
  workers: Child[];
  /** `program` in place of the app's own worker, for one that has a fault. */
  startWorker(program?: string): Promise<Child>;
  /** Lets them finish what they are doing; afterwards there is no worker. */
  stopWorkers(): Promise<void>;
  /** As in a crash. */
  killWorker(worker: Child): Promise<void>;
  /** Refuses (OperatorError), with nothing done, what this stack does not own. */
  takeDown(server: ServerName, how: 'stopServer' | 'killServer'): Promise<void>;
  /** Resolves when it serves again; does nothing if it is not down. */
  bringBack(server: ServerName): Promise<void>;
  /** What `mend` has to do as well; it has to be harmless if it was done before. */
  mendLater(mend: () => unknown): void;
  mend(): Promise<void>;
}

const ownWorker = fileURLToPath(new URL('../worker.ts', import.meta.url));

/**
 * Starts the three services and a worker on a task queue.
 * @param faultPoints services that can be made to fail on request
 */
export async function setUp(session: Session, queue: string, faultPoints: boolean): Promise<Demo> {
  const { stack } = session;
  const [flight, hotel, cab] = await freePorts(3);
  const ports = { flight, hotel, cab };
  const urlOf = (service: Service) => `http://127.0.0.1:${ports[service]}`;
  const urls = { flight: urlOf('flight'), hotel: urlOf('hotel'), cab: urlOf('cab') };
  const provisioned = provisionServices(stack.postgres?.url ?? '', (name) => stack.secret(name));

  const running: Partial<Record<Service, Child>> = {};
  const startService = async (service: Service) => {
    if (running[service]) return;
    const env = { DATABASE_URL: (await provisioned)[service], PORT: String(ports[service]) };
    const args = faultPoints ? [service, '--fault-points'] : [service];
    running[service] = await session.spawn({ name: `${service} service`, file: serviceProgram, args, env });
  };

  const workers: Child[] = [];
  let started = 0;
  const startWorker = async (file = ownWorker) => {
    const name = `worker ${++started}`;
    const args = ['--bundle', await freshWorkflowBundle(new URL('../workflows.ts', import.meta.url))];
    // A worker knows where the services are, and nothing of their databases.
    const env = { TASK_QUEUE: queue, FLIGHT_URL: urls.flight, HOTEL_URL: urls.hotel, CAB_URL: urls.cab };
    const worker = await session.spawn({ name, file, args, env: { ...env, DATABASE_URL: undefined } });
    workers.push(worker);
    return worker;
  };

  const mending: (() => unknown)[] = [];
  const mendLater = (mend: () => unknown) => mending.push(mend);
  const mend = async () => {
    const failed: unknown[] = [];
    for (let one = mending.pop(); one; one = mending.pop())
      await (async (one) => one())(one).catch((e) => failed.push(e));
    if (failed.length > 0) throw new AggregateError(failed, `Not everything could be mended: ${failed.join('; ')}`);
  };
  // Children end with the session anyway; nothing is started while everything is being stopped.
  const mendProcess = (start: () => Promise<unknown>) => mendLater(() => session.signal.aborted || start());
  const mendWorkers = () => mendProcess(async () => workers.length > 0 || (await startWorker()));

  const down = new Set<ServerName>();
  const bringBack = async (server: ServerName) => {
    if (!down.has(server)) return;
    await stack.startServer(server);
    down.delete(server);
  };

  await Promise.all([startWorker(), ...services.map(startService)]);
  Object.assign(process.env, session.env, { TASK_QUEUE: queue });
  const client = await connectClient();
  session.onCleanUp('close the connection to Temporal', () => client.connection.close());
  const books = new Books(await provisioned);
  session.onCleanUp('close the connections to the databases', () => books.close());
  if (queue === session.taskQueue) session.onCleanUp('list the trips that go on', () => tripsThatGoOn(session, client));
  session.onCleanUp('mend what was broken', mend);

  return {
    client,
    urls,
    books,
    processes: running as Record<Service, Child>,
    startService,
    async stopService(service) {
      mendProcess(() => startService(service));
      await running[service]?.stop();
      delete running[service];
    },
    freezeService(service) {
      mendLater(() => running[service]?.thaw());
      running[service]?.freeze();
    },
    workers,
    startWorker,
    async stopWorkers() {
      mendWorkers();
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    },
    async killWorker(worker) {
      mendWorkers();
      workers.splice(workers.indexOf(worker), 1);
      await worker.kill();
    },
    async takeDown(server, how) {
      // Others may be using it: once this session ends, nobody would bring it back.
      session.signal.throwIfAborted();
      if (stack.owns(server)) down.add(server);
      mendLater(() => bringBack(server));
      await stack[how](server);
    },
    bringBack,
    mendLater,
    mend,
  };
}
