import { fileURLToPath } from 'node:url';
import { bundledProgram, type Child, createStage, freePorts, type Session, type Stage } from '@repo/dev-stack';
import { connectClient, freshWorkflowBundle } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { type Service, services } from '../contract.ts';
import { Books } from './invariants.ts';
import { provisionServices, serviceProgram } from './local-services.ts';
import { tripsThatGoOn } from './same-by-hand.ts';

/** What all scenarios share: three services, a worker and a client of this `start` alone. */
export interface Demo extends Stage {
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
}

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
  const program = bundledProgram(serviceProgram);
  const provisioned = provisionServices(stack.postgres?.url ?? '', (name) => stack.secret(name));

  const running: Partial<Record<Service, Child>> = {};
  const startService = async (service: Service) => {
    if (running[service]) return;
    const env = { DATABASE_URL: (await provisioned)[service], PORT: String(ports[service]) };
    const args = faultPoints ? [service, '--fault-points'] : [service];
    running[service] = await session.spawn({ name: `${service} service`, file: await program, args, env });
  };
  const stage = createStage(session, {
    program: fileURLToPath(new URL('../worker.ts', import.meta.url)),
    args: async () => ['--bundle', await freshWorkflowBundle(new URL('../workflows.ts', import.meta.url))],
    // A worker knows where the services are, and nothing of their databases.
    env: {
      ...{ TASK_QUEUE: queue, DATABASE_URL: undefined },
      ...{ FLIGHT_URL: urls.flight, HOTEL_URL: urls.hotel, CAB_URL: urls.cab },
    },
  });

  Object.assign(process.env, session.env, { TASK_QUEUE: queue });
  const connecting = connectClient().then((client) => {
    session.onCleanUp('close the connection to Temporal', () => client.connection.close());
    return client;
  });
  const [client] = await Promise.all([connecting, stage.startWorker(), ...services.map(startService)]);
  const books = new Books(await provisioned);
  session.onCleanUp('close the connections to the databases', () => books.close());
  if (queue === session.taskQueue) session.onCleanUp('list the trips that go on', () => tripsThatGoOn(session, client));
  session.onCleanUp('mend what was broken', stage.mend);

  return {
    ...stage,
    client,
    urls,
    books,
    processes: running as Record<Service, Child>,
    startService,
    async stopService(service) {
      stage.mendProcess(() => startService(service));
      await running[service]?.stop();
      delete running[service];
    },
    freezeService(service) {
      stage.mendLater(() => running[service]?.thaw());
      running[service]?.freeze();
    },
  };
}
