import { fileURLToPath } from 'node:url';
import { type Child, createStage, type Session, type Stage } from '@repo/dev-stack';
import type { Ledger } from '@repo/ledger';
import { connectClient, freshWorkflowBundle, readConfig } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { createServices, servicesConfig } from '../services.ts';
import { ledgerUrl, requireReady } from './ledger-at-hand.ts';

/** What all scenarios share: a worker and a client of this `start` alone, on the ledger. */
export interface Demo extends Stage {
  client: Client;
  ledger: Ledger;
  /** Those that this start has opened, the newest last. */
  accounts: string[];
  /** The only worker from now on, with a fault (faulty-worker/main.ts). */
  startFaultyWorker(fault: 'held-deposit' | 'lost-deposit'): Promise<FaultyWorker>;
}

export interface FaultyWorker extends Child {
  /** What it has said, oldest first. */
  said: unknown[];
}

const workerProgram = fileURLToPath(new URL('../worker.ts', import.meta.url));
const faultyProgram = fileURLToPath(new URL('./faulty-worker/main.ts', import.meta.url));

/**
 * Starts a worker on a task queue.
 * @throws OperatorError if the ledger is not as it has to be
 */
export async function setUp(session: Session, queue: string): Promise<Demo> {
  const databaseUrl = await ledgerUrl(session.stack);
  const { ledger, close } = createServices(readConfig(servicesConfig, { ...process.env, DATABASE_URL: databaseUrl }));
  session.onCleanUp('close the connections to the ledger', close);
  await requireReady(ledger);

  const args = async () => ['--bundle', await freshWorkflowBundle(new URL('../workflows.ts', import.meta.url))];
  const env = { DATABASE_URL: databaseUrl, TASK_QUEUE: queue };
  const stage = createStage(session, { program: workerProgram, args, env });
  await stage.startWorker();
  Object.assign(process.env, session.env, { TASK_QUEUE: queue });
  const client = await connectClient();
  session.onCleanUp('close the connection to Temporal', () => client.connection.close());
  session.onCleanUp('mend what was broken', stage.mend);

  return {
    ...stage,
    client,
    ledger,
    accounts: [],
    async startFaultyWorker(fault) {
      await stage.stopWorkers();
      const said: unknown[] = [];
      const worker = await session.spawn({
        name: 'faulty worker',
        file: faultyProgram,
        args: [...(await args()), '--fault', fault],
        env,
        onMessage: (message) => said.push(message),
      });
      stage.workers.push(worker);
      // After this scenario nobody is to be served by it.
      stage.mendLater(() => stage.workers.includes(worker) && stage.killWorker(worker));
      return Object.assign(worker, { said });
    },
  };
}
