import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Delivery, readInbox } from '@repo/notifications/inbox';

/** Where the mail servers that this app brings along keep what they are given: a folder for each of them. */
const folders = fileURLToPath(new URL('../../.data/mail', import.meta.url));

/** @param run whose mail server it is: two never share a folder */
export const mailFolder = (run: string): string => join(folders, run);

export interface Arrival extends Delivery {
  /** When it was taken, ISO 8601 in UTC; `date` is the business time that its sender wrote on it. */
  arrivedAt: string;
}

/** All mail in all folders, in the order of arrival. `delivery` counts over all of them: a second one may be another server's. */
export async function readAllMail(below = folders): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  for (const folder of await readdir(below).catch(noneYet)) {
    for (const one of await readInbox(join(below, folder))) {
      arrivals.push({ ...one, arrivedAt: (await stat(one.file)).mtime.toISOString() });
    }
  }
  arrivals.sort((one, other) => one.arrivedAt.localeCompare(other.arrivedAt) || one.file.localeCompare(other.file));
  const seen = new Map<string, number>();
  for (const one of arrivals) {
    one.delivery = (seen.get(one.messageId) ?? 0) + 1;
    seen.set(one.messageId, one.delivery);
  }
  return arrivals;
}

function noneYet(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
