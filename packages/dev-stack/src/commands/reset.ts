import { existsSync, rmSync } from 'node:fs';
import { acquireLock } from '../lock.ts';
import { OperatorError } from '../operator-error.ts';
import { connectToRunning } from '../stack-servers/enter.ts';
import { stackPlaces } from '../stack-servers/places.ts';
import { dataFolders } from '../stack-servers/postgres.ts';
import { cleanUpAfter, readRecord } from '../stack-servers/record.ts';

/**
 * Removes all data, logs and secrets of a durable stack.
 * @throws OperatorError while it is running
 */
export async function reset(name: string): Promise<void> {
  const places = stackPlaces({ stack: name });
  if (!existsSync(places.folder)) return console.log(`The stack ${name} is empty already.`);
  const lock = await acquireLock(places.spawnLock);
  try {
    const running = await connectToRunning(places, () => {});
    if (running) {
      const { leases } = await running.call('status', null).catch(() => ({ leases: 0 }));
      running.end();
      throw new OperatorError(
        `The stack ${name} is running${leases ? ` and used by ${leases} process${leases > 1 ? 'es' : ''}` : ''}.`,
        'End what uses it (Ctrl-C there), then reset it.',
      );
    }
    const record = readRecord(places.record);
    if (record) await cleanUpAfter(record, places.record);
    for (const folder of [...dataFolders(places), places.folder]) rmSync(folder, { recursive: true, force: true });
    console.log(`The stack ${name} is empty.`);
  } finally {
    lock.release();
  }
}
