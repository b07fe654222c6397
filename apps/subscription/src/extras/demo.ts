import { fileURLToPath } from 'node:url';
import { bundledProgram, type Child, createStage, type Session, type Stage } from '@repo/dev-stack';
import type { Ledger } from '@repo/ledger';
import { type Delivery, type InboxFault, readInbox } from '@repo/notifications/inbox';
import { connectClient, freshWorkflowBundle, readConfig } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import type { Customers } from '../services/customers.ts';
import { createServices, servicesConfig } from '../services.ts';
import { databaseUrls, requireReady } from './databases-at-hand.ts';
import { mailFolder } from './mail-folders.ts';
import { subscriptionsThatGoOn } from './same-by-hand.ts';

/** What all scenarios share: a worker, a mail server and a client of this `start` alone, on the ledger. */
export interface Demo extends Stage {
  client: Client;
  ledger: Ledger;
  customers: Customers;
  /** The account that is paid, in a currency. */
  merchant(currency: string): string;
  /** Those that this start has added, the newest last. */
  added: string[];
  /** What has been delivered to an address, oldest first. */
  inbox(address: string): Promise<Delivery[]>;
  /** As in a crash; the mails that it has are kept. */
  killInbox(): Promise<void>;
  /** Resolves when it serves again, at the same address; does nothing if it is not down. */
  startInbox(): Promise<void>;
  /** Makes the mail server do something wrong. */
  setInboxFault(fault: InboxFault): void;
  /** The only worker from now on: after COMMIT, it holds the answer to each charge until this process is gone. */
  startFaultyWorker(): Promise<FaultyWorker>;
}

export interface FaultyWorker extends Child {
  /** What it has said, oldest first. */
  said: unknown[];
}

const workerProgram = fileURLToPath(new URL('../worker.ts', import.meta.url));
const faultyProgram = fileURLToPath(new URL('./faulty-worker/main.ts', import.meta.url));
const inboxProgram = fileURLToPath(new URL('./inbox-server/main.ts', import.meta.url));

/**
 * Starts a worker on a task queue, and a mail server.
 * @param smtpUrl of a mail server of one's own: then none is started
 * @throws OperatorError if the databases are not as they have to be
 */
export async function setUp(session: Session, queue: string, smtpUrl?: string): Promise<Demo> {
  const [urls, inbox] = await Promise.all([databaseUrls(session.stack), smtpUrl ? undefined : createInbox(session)]);
  const env = {
    ...urls,
    TASK_QUEUE: queue,
    SMTP_URL: smtpUrl ?? inbox?.url ?? '',
    MAIL_FROM: process.env.MAIL_FROM || 'Phones and More <billing@example.com>',
  };
  const { ledger, customers, merchant, close } = createServices(readConfig(servicesConfig, { ...process.env, ...env }));
  session.onCleanUp('close the connections to the databases', close);
  await requireReady({ ledger, customers });

  const args = async () => ['--bundle', await freshWorkflowBundle(new URL('../workflows.ts', import.meta.url))];
  const stage = createStage(session, { program: workerProgram, args, env });
  await stage.startWorker();
  Object.assign(process.env, session.env, { TASK_QUEUE: queue });
  const client = await connectClient();
  session.onCleanUp('close the connection to Temporal', () => client.connection.close());
  if (queue === session.taskQueue) {
    session.onCleanUp('list the subscriptions that go on', () => subscriptionsThatGoOn(session, client));
  }
  session.onCleanUp('mend what was broken', stage.mend);

  return {
    ...stage,
    client,
    ledger,
    customers,
    merchant,
    added: [],
    inbox: async (address) => (await readInbox(inbox?.folder ?? '')).filter(({ to }) => to === address),
    async killInbox() {
      stage.mendProcess(async () => inbox?.start());
      await inbox?.kill();
    },
    startInbox: async () => inbox?.start(),
    setInboxFault(fault) {
      stage.mendLater(() => inbox?.setFault(undefined));
      inbox?.setFault(fault);
    },
    async startFaultyWorker() {
      await stage.stopWorkers();
      const said: unknown[] = [];
      const worker = await stage.startWorker(faultyProgram, { onMessage: (message) => said.push(message) });
      return Object.assign(worker, { said });
    },
  };
}

/** The mail server of this start: a process of its own, at one address as long as the start runs. */
async function createInbox(session: Session) {
  const folder = mailFolder(`${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}-${session.suffix}`);
  const file = await bundledProgram(inboxProgram);
  let running: Child | undefined;
  let port: number | undefined;
  const start = async () => {
    if (running) return;
    const args = [folder, ...(port === undefined ? [] : [String(port)])];
    running = await session.spawn({ name: 'inbox', file, args });
    port = running.message.listening;
  };
  await start();
  return {
    folder,
    url: `smtp://127.0.0.1:${port}`,
    start,
    setFault: (fault: InboxFault | undefined) => running?.send({ fault }),
    async kill() {
      const child = running;
      running = undefined;
      await child?.kill();
    },
  };
}
