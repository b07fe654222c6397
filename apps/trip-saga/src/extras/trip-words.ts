import type { TripOutcome, TripState } from '../contract.ts';
import type { Reconciliation } from './reconciler/reconcile.ts';
import type { ListedTrip } from './trips.ts';

/** What the commands print for people. */

export function outcomeInWords(outcome: TripOutcome): string {
  const name = `Trip ${outcome.tripId}`;
  switch (outcome.status) {
    case 'booked': {
      const { flight, hotel, cab } = outcome.bookings;
      return `${name} is booked: ${flight.confirmation}, ${hotel.confirmation}, ${cab.confirmation}`;
    }
    case 'compensated':
      return `${name} is not booked: ${outcome.reason.message}. Undone: ${outcome.undone.join(', ') || 'nothing'}`;
    case 'cancelled':
      return `${name} is cancelled. Undone: ${outcome.undone.join(', ') || 'nothing'}`;
    case 'needs-attention':
      return `${name} needs attention: ${outcome.stuck.map(({ service, message }) => `${service}: ${message}`).join('; ')}`;
  }
}

export function stateInWords({ request, status, outcome }: TripState): string {
  return outcome ? outcomeInWords(outcome) : `Trip ${request.tripId} is ${status}`;
}

export function listInWords(trips: ListedTrip[]): string {
  if (trips.length === 0) return 'No trips.';
  const usual = new Set(['RUNNING', 'COMPLETED']);
  const rows = trips.map(({ tripId, status = '-', execution, started, startedBy = '-' }) => [
    tripId,
    usual.has(execution) ? status : `${status} (${execution.toLowerCase()})`,
    started.slice(0, 19).replace('T', ' '),
    startedBy,
  ]);
  return table([['TRIP', 'STATUS', 'STARTED (UTC)', 'BY'], ...rows]);
}

export function reconciliationInWords({ looked, undone, attention }: Reconciliation, dryRun: boolean): string {
  const rows = [
    ...undone.map(({ tripId, services }) => [tripId, `${dryRun ? 'would undo' : 'undone'}: ${services.join(', ')}`]),
    ...attention.map(({ tripId, why }) => [tripId, `needs attention: ${why}`]),
  ];
  const summary = `${looked} trips looked at: ${undone.length} ${dryRun ? 'to undo' : 'undone'}, ${attention.length} need attention.`;
  return [...(rows.length > 0 ? [table(rows)] : []), summary].join('\n');
}

function table(rows: string[][]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
