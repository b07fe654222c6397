import { fileURLToPath } from 'node:url';
import { type Child, createStage, type Session, type Stage } from '@repo/dev-stack';
import { connectClient, freshWorkflowBundle, readConfig } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { type Services, servicesConfig } from '../services.ts';
import { Stores } from './invariants.ts';
import { openServices, requireReady, storesOf } from './local-stores.ts';
import { writeSchema } from './migrate.ts';
import { Records } from './reconcile-stores.ts';
import { changesThatGoOn } from './same-by-hand.ts';

/** What all scenarios share: a worker and a client of this `start` alone, on both stores. */
export interface Demo extends Stage {
  client: Client;
  /** The app's own services, as a web server of the app would use them. */
  services: Services;
  /** What both stores hold, whatever the app says. */
  stores: Stores;
  /** What the reconciler reads. */
  records: Records;
  /** Where the application's database is. */
  databaseUrl: string;
  /** The only worker from now on, with a fault (faulty-worker/main.ts). */
  startFaultyWorker(fault: 'held-write' | 'lost-replies'): Promise<FaultyWorker>;
}

export interface FaultyWorker extends Child {
  /** What it has said, oldest first. */
  said: unknown[];
}

const workerProgram = fileURLToPath(new URL('../worker.ts', import.meta.url));
const faultyProgram = fileURLToPath(new URL('./faulty-worker/main.ts', import.meta.url));

/**
 * Starts a worker on a task queue.
 * @param options.migrates brings both stores to this version first; else they have to be there
 * @throws OperatorError if a store is not as it has to be
 */
export async function setUp(session: Session, queue: string, { migrates }: { migrates: boolean }): Promise<Demo> {
  const stores = await storesOf(session.stack);
  const config = readConfig(servicesConfig, { ...process.env, ...stores });
  const services = openServices(config);
  session.onCleanUp('close the connections to the stores', () => services.close());
  if (migrates) await writeSchema(services.permissions);
  await requireReady(services);

  const args = async () => ['--bundle', await freshWorkflowBundle(new URL('../workflows.ts', import.meta.url))];
  const env = { ...stores, TASK_QUEUE: queue };
  const stage = createStage(session, { program: workerProgram, args, env });
  await stage.startWorker();
  Object.assign(process.env, session.env, { TASK_QUEUE: queue });
  const client = await connectClient();
  session.onCleanUp('close the connection to Temporal', () => client.connection.close());
  const truth = new Stores(config);
  session.onCleanUp('close the connections for looking', () => truth.close());
  const records = new Records(config.DATABASE_URL);
  session.onCleanUp('close the connections of the reconciler', () => records.close());
  if (queue === session.taskQueue) {
    session.onCleanUp('list the changes that go on', () => changesThatGoOn(session, client));
  }
  session.onCleanUp('mend what was broken', stage.mend);

  return {
    ...stage,
    client,
    services,
    stores: truth,
    records,
    databaseUrl: config.DATABASE_URL,
    async startFaultyWorker(fault) {
      await stage.stopWorkers();
      const said: unknown[] = [];
      const onMessage = (message: unknown) => said.push(message);
      const worker = await stage.startWorker(faultyProgram, { args: ['--fault', fault], onMessage });
      // After this scenario nobody is to be served by it.
      stage.mendLater(() => stage.workers.includes(worker) && stage.killWorker(worker));
      return Object.assign(worker, { said });
    },
  };
}
