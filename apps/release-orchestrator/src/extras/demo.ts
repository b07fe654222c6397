import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createStage, type Session, type Stage } from '@repo/dev-stack';
import { connectClient, freshWorkflowBundle, OperatorError, readConfig } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { createServices, type Services, servicesConfig } from '../services.ts';
import { type Hosts, startHosts } from './hosts.ts';
import { dropRecords, recordsUrl, requireReady } from './records-at-hand.ts';
import { command } from './release-lookup.ts';
import { announceSurroundings, findOrStart, type Surroundings } from './surroundings.ts';

/** What all scenarios share: environments, files and a worker of this `start` alone. */
export interface Demo extends Stage {
  client: Client;
  services: Services;
  hosts: Hosts;
  /** The folder with `deployables` and `configs`: a scenario may change what is in them. */
  folder: string;
  /** The releases that this start has made, the newest last. */
  releases: string[];
  /** The only worker from now on, with a bug in the activity `verify`. */
  startBuggyWorker(): Promise<void>;
}

const workerProgram = fileURLToPath(new URL('../worker.ts', import.meta.url));
const buggyProgram = fileURLToPath(new URL('./buggy-worker/main.ts', import.meta.url));
const appFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Beside the data of the stack's servers: what resets them resets this. */
const dataFolder = ({ logFolder }: Session) => join(dirname(dirname(logFolder)), 'release-orchestrator');

/** Files, records and environments of this start alone, which go with it. */
export async function setUpOfItsOwn(session: Session): Promise<Demo> {
  const folder = join(dataFolder(session), session.suffix);
  await mkdir(folder, { recursive: true });
  session.onCleanUp('remove the files of this start', () => rm(folder, { recursive: true, force: true }));
  for (const name of ['deployables', 'configs'])
    await cp(join(appFolder, name), join(folder, name), { recursive: true });
  const database = `release_orchestrator_${session.suffix}`;
  session.onCleanUp('drop the records of this start', () => dropRecords(session.stack, database));
  const [databaseUrl, hosts] = await Promise.all([
    recordsUrl(session.stack, database),
    startHosts(session, join(folder, 'environments'), { own: true }),
  ]);
  const { addresses: environments } = hosts;
  const places = { SOURCES_DIR: folder, CONFIGS_DIR: join(folder, 'configs'), STORE_DIR: join(folder, 'store') };
  const config = { ...places, DATABASE_URL: databaseUrl, ENVIRONMENTS: JSON.stringify(environments) };
  const takeBack = await announceSurroundings(session.taskQueue, { pid: process.pid, environments, databaseUrl });
  session.onCleanUp('say that the environments are gone', takeBack);
  const stage = await startOnStage(session, session.taskQueue, config);
  return {
    ...stage,
    hosts,
    folder,
    releases: [],
    async startBuggyWorker() {
      await stage.stopWorkers();
      const worker = await stage.startWorker(buggyProgram);
      // After this scenario nobody is to be served by it.
      stage.mendLater(() => stage.workers.includes(worker) && stage.stopWorkers());
    },
  };
}

/** A worker on the app's own task queue, with the environments that run for it already, or else with its own. */
export async function setUpForAll(session: Session, queue: string): Promise<Stage> {
  const folder = dataFolder(session);
  const { ENVIRONMENTS, SOURCES_DIR, CONFIGS_DIR, STORE_DIR } = process.env;
  return startOnStage(session, queue, {
    SOURCES_DIR: SOURCES_DIR || appFolder,
    CONFIGS_DIR: CONFIGS_DIR || join(appFolder, 'configs'),
    STORE_DIR: STORE_DIR || join(folder, 'store'),
    DATABASE_URL: await recordsUrl(session.stack),
    ENVIRONMENTS: ENVIRONMENTS || JSON.stringify((await environmentsOf(session, queue)).environments),
  });
}

/** The four environments that all workers and commands of this clone find. @throws OperatorError if they run already */
export async function startEnvironments(session: Session, queue: string): Promise<void> {
  const { pid } = await environmentsOf(session, queue);
  if (pid === process.pid) return;
  const message = `The environments run already, in process ${pid}.`;
  throw new OperatorError(
    message,
    `They are shown by: ${command('pnpm --filter release-orchestrator release env show')}`,
  );
}

/** Those that run already, or else new ones. */
async function environmentsOf(session: Session, queue: string): Promise<Surroundings> {
  const folder = join(dataFolder(session), 'environments');
  const start = async () => (await startHosts(session, folder, { own: false })).addresses;
  const { found, takeBack } = await findOrStart(queue, start);
  session.onCleanUp('say that the environments are gone', takeBack);
  return found;
}

/** A worker with this configuration, and what a scenario needs to look behind its back. */
async function startOnStage(session: Session, queue: string, config: Record<string, string>) {
  const services = createServices(readConfig(servicesConfig, config));
  session.onCleanUp('close the connections to the records', () => services.close());
  await requireReady(services.records);
  const stage = createStage(session, {
    program: workerProgram,
    args: async () => ['--bundle', await freshWorkflowBundle(new URL('../workflows.ts', import.meta.url))],
    env: { ...config, TASK_QUEUE: queue },
  });
  await stage.startWorker();
  Object.assign(process.env, session.env, { TASK_QUEUE: queue });
  const client = await connectClient();
  session.onCleanUp('close the connection to Temporal', () => client.connection.close());
  session.onCleanUp('mend what was broken', stage.mend);
  return { ...stage, client, services };
}
