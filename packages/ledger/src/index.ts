export { createLedgerActivities, type LedgerActivities, toLedgerFailure } from './activities.ts';
export { LedgerError } from './errors.ts';
export { createLedger, type Ledger } from './ledger.ts';
export { ledgerMigrations } from './migrations.ts';
export type { Reader } from './reader.ts';
export type * from './types.ts';
