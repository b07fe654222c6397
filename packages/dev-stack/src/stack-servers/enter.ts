import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledProgram } from '../bundled-program.ts';
import { acquireLock } from '../lock.ts';
import { asOperatorError, OperatorError } from '../operator-error.ts';
import { projectRoot } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { within } from '../start-stopping.ts';
import { connectToDaemon, type DaemonConnection, DaemonGone } from './connection.ts';
import { ownFolder, privateFolder, type StackPlaces } from './places.ts';
import { PROTOCOL } from './protocol.ts';
import { cleanUpAfter, daemonRuns, readRecord } from './record.ts';
import { logTail } from './server-process.ts';

/** Connects to the daemon of a stack and takes a lease, starting the daemon if there is none. */
export async function enterStack(places: StackPlaces, progress: Progress): Promise<DaemonConnection> {
  for (;;) {
    const connection = (await connectToRunning(places, progress)) ?? (await startAndConnect(places, progress));
    // The daemon may end between the connection and the answer: its last lease has just gone. Then the next one serves.
    const joining = connection.call('join', { protocol: PROTOCOL });
    const answer = await within(answerWithin, joining, unresponsive(places)).catch((error: unknown) => {
      if (error instanceof DaemonGone) return { stopping: true };
      connection.end();
      throw error;
    });
    if (!answer.stopping) return connection;
    await connection.closed;
  }
}

/** A daemon answers at once, or it is frozen. */
const answerWithin = 5_000; // milliseconds

function unresponsive(places: StackPlaces): OperatorError {
  const pid = readRecord(places.record)?.daemon.pid ?? '<process>';
  return new OperatorError(
    `The process that runs the servers (${pid}) does not answer.`,
    `If it is stopped, let it go on (kill -CONT ${pid}); if it hangs, end it (kill -KILL ${pid}), and run this again.`,
  );
}

/** A connection to the daemon if one runs: at the socket its record names, for TMPDIR may differ between terminals. */
export async function connectToRunning(places: StackPlaces, progress: Progress): Promise<DaemonConnection | undefined> {
  const record = readRecord(places.record);
  return connectToDaemon(record && daemonRuns(record) ? record.socket : places.socket, progress);
}

async function startAndConnect(places: StackPlaces, progress: Progress): Promise<DaemonConnection> {
  try {
    // PostgreSQL runs as another user below root, and has to pass through.
    ownFolder(places.folder, process.getuid?.() === 0 ? 0o711 : 0o700);
    mkdirSync(places.logs, { recursive: true, mode: 0o700 });
    const lock = await acquireLock(places.spawnLock);
    try {
      const running = await connectToRunning(places, progress);
      if (running) return running;
      await cleanUpDeadStacks(places, progress);
      return await spawnDaemon(places, progress);
    } finally {
      lock.release();
    }
  } catch (error) {
    throw asOperatorError(error, 'starting the stack');
  }
}

/** What killed daemons left: this stack's, and that of ephemeral ones that nobody will ever join again. */
async function cleanUpDeadStacks(places: StackPlaces, progress: Progress): Promise<void> {
  const ephemeral = readdirSync(privateFolder(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(privateFolder(), entry.name, 'stack.json'));
  for (const path of new Set([places.record, ...ephemeral])) {
    const record = readRecord(path);
    if (!record || daemonRuns(record)) continue;
    const ended = await cleanUpAfter(record, path);
    if (path === places.record && ended.length > 0) {
      progress(`ended ${ended.join(' and ')}, left by a stack whose process was killed`);
    }
  }
  rmSync(places.socket, { force: true });
  // Cleaning up after an ephemeral stack of the same name removes its folder.
  mkdirSync(places.logs, { recursive: true, mode: 0o700 });
}

async function spawnDaemon(places: StackPlaces, progress: Progress): Promise<DaemonConnection> {
  const program = await bundledProgram(fileURLToPath(new URL('../stack-daemon.ts', import.meta.url)));
  const log = join(places.logs, 'daemon.log');
  const out = openSync(log, 'a', 0o600);
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', program, places.name, places.ephemeral ? 'ephemeral' : 'durable'],
    { cwd: projectRoot, stdio: ['ignore', out, out], detached: true, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  closeSync(out);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `exit code ${code}`}`;
  });
  for (;;) {
    const connection = await connectToDaemon(places.socket, progress);
    if (connection) {
      child.unref();
      return connection;
    }
    if (ended !== undefined) {
      throw new OperatorError(
        `The process that runs the servers could not be started: ${ended}. The last lines of ${log}:\n${logTail(log)}`,
        'Run it again; `pnpm run doctor` checks programs and ports.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
