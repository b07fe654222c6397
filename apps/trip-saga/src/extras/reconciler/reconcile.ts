import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type Service, services, statusAttribute, tripWorkflowId } from '../../contract.ts';
import { ServiceError } from '../../services.ts';
import { type StoredBooking, Stores, type Urls } from './stores.ts';

export interface ReconcileInput {
  client: Client;
  urls: Urls;
  /** Milliseconds since the epoch. */
  now: number;
  /** Trips of which a booking is younger than that are left alone, in milliseconds. */
  graceMs: number;
  /** Only says what it would undo. */
  dryRun?: boolean | undefined;
}

export interface Reconciliation {
  /** How many trips the services have something of. */
  looked: number;
  /** What was undone of which trip; with `dryRun`, what would be. */
  undone: { tripId: string; services: Service[] }[];
  /** What a person has to look at. */
  attention: { tripId: string; why: string }[];
}

/**
 * Makes what the services hold agree with what Temporal says, where no workflow does so any more: after a terminate
 * or a time-out, which run no workflow code.
 *
 * Starts from the bookings and asks Temporal for that very workflow, never the list of workflows, which lags behind. A
 * trip whose workflow is open is never touched; the second time nothing changes.
 * @throws ServiceError unless all three services can be read
 */
export async function reconcile({
  client,
  urls,
  now,
  graceMs,
  dryRun = false,
}: ReconcileInput): Promise<Reconciliation> {
  const stores = new Stores(urls);
  const today = new Date(now).toISOString().slice(0, 10);
  const result: Reconciliation = { looked: 0, undone: [], attention: [] };

  const look = async (tripId: string, bookings: StoredBooking[]) => {
    if (bookings.some(({ createdAt }) => createdAt > now - graceMs)) return;
    const isOver = bookings.every(({ lastDay }) => lastDay < today);
    // Nothing is left of it, and nobody can travel on it any more.
    if (isOver && !bookings.some(({ active }) => active)) return;
    const verdict = await judge(client, stores, tripId, bookings, isOver).catch((error: unknown): Verdict => {
      if (error instanceof ServiceError) return { attention: `cannot be looked at: ${error.message}` };
      throw error;
    });
    if (verdict.undo) {
      const { undone, failed } = dryRun
        ? { undone: verdict.undo.toReversed(), failed: [] }
        : await undoAll(stores, tripId, verdict.undo);
      if (undone.length > 0) result.undone.push({ tripId, services: undone });
      for (const why of failed) result.attention.push({ tripId, why });
    }
    if (verdict.attention) result.attention.push({ tripId, why: verdict.attention });
  };

  const trips = [...(await stores.bookingsByTrip())];
  result.looked = trips.length;
  const next = trips.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const [tripId, bookings] of next) await look(tripId, bookings);
    }),
  );
  const byTrip = (one: { tripId: string }, other: { tripId: string }) => (one.tripId < other.tripId ? -1 : 1);
  result.undone.sort(byTrip);
  result.attention.sort(byTrip);
  return result;
}

/** Undo what is active in these services; or put before a person why nothing is done. */
interface Verdict {
  undo?: Service[];
  attention?: string | undefined;
}

async function judge(
  client: Client,
  stores: Stores,
  tripId: string,
  bookings: StoredBooking[],
  isOver: boolean,
): Promise<Verdict> {
  const listed = bookings.filter(({ active }) => active).length;
  const trip = await describe(client, tripId);
  if (trip === undefined) {
    // Temporal forgets a closed workflow after its retention: a whole trip that is over is no news.
    if (listed === 0 || (isOver && listed === services.length)) return {};
    return { attention: `Temporal has no workflow ${tripWorkflowId(tripId)} (any more): booked ${words(listed)}` };
  }
  const { execution, status } = trip;
  const expected = status === 'booked' && (trip.isOpen || execution === 'COMPLETED') ? services.length : 0;
  if (trip.isOpen && status !== 'booked') return { attention: waitsForPerson(tripId, status) };
  if (listed === expected) return {};

  // Only now, for what the list showed may have changed before Temporal was asked.
  const active = await stores.activeIn(tripId);
  if (active.length === expected) return {};
  const where = active.join(', ') || 'nothing';
  if (trip.isOpen) {
    // A cancellation may have begun in between: then Temporal says something else by now.
    const again = await describe(client, tripId);
    if (!again?.isOpen || again.status !== 'booked' || again.runId !== trip.runId) return {};
    return { attention: `its workflow says booked, the services say: ${where} (as after a reset)` };
  }
  const says = `its workflow is ${execution.toLowerCase()} as ${status ?? 'not begun'}`;
  if (execution === 'COMPLETED' || !unfinished.has(status ?? '')) {
    return { attention: `${says}, the services say: ${where}` };
  }
  // Booked before this workflow began: by an earlier one of the same trip id, whose bookings they are.
  if (bookings.some(({ createdAt }) => createdAt < trip.began - clocksDiffer)) {
    return { attention: `${says}, but was started after its bookings were made: ${where}` };
  }
  if (status !== 'booked') return { undo: active };
  if (active.length === services.length) {
    return { attention: 'unwatched: booked, but its workflow was ended from outside, so it cannot be cancelled' };
  }
  return { undo: active, attention: `${says}, the services said: ${where}; that was undone` };
}

/** In these, a workflow that is gone left something unfinished; a booked one cannot be cancelled any more. */
const unfinished = new Set(['booking', 'compensating', 'needs-attention', 'booked']);

/** Between the services and Temporal, in milliseconds. */
const clocksDiffer = 60_000;

const words = (count: number) => `in ${count} of ${services.length} services`;

const waitsForPerson = (tripId: string, status: string | undefined) =>
  status === 'needs-attention'
    ? `something of it cannot be undone: mend that, then: pnpm --filter trip-saga trip resolve ${tripId}`
    : undefined;

/** Undefined if Temporal knows no such workflow. */
async function describe(client: Client, tripId: string) {
  try {
    const found = await client.workflow.getHandle(tripWorkflowId(tripId)).describe();
    const original = found.raw.workflowExtendedInfo?.originalStartTime;
    return {
      runId: found.runId,
      execution: found.status.name,
      isOpen: found.closeTime === undefined,
      status: found.typedSearchAttributes.get(statusAttribute),
      // Of a run that a reset made, when the first one began.
      began: original?.seconds ? Number(original.seconds) * 1000 : found.startTime.getTime(),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/**
 * Undoes newest first, in all three services: where nothing has arrived, a call that is still on its way is refused
 * from now on. One service that fails does not keep the others from being asked.
 */
async function undoAll(
  stores: Stores,
  tripId: string,
  active: Service[],
): Promise<{ undone: Service[]; failed: string[] }> {
  const undone: Service[] = [];
  const failed: string[] = [];
  for (const service of services.toReversed()) {
    try {
      await stores.cancel(tripId, service);
      if (active.includes(service)) undone.push(service);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      failed.push(`the ${service} is not undone: ${error.message}`);
    }
  }
  return { undone, failed };
}
