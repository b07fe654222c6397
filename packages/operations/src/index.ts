export {
  type Cancelled,
  cancelOnce,
  findOperation,
  type Operation,
  type Performed,
  performOnce,
  Refusal,
  type Refused,
} from './operations.ts';
export { type OperationStatus, operationsTable } from './schema.ts';
export { createPool, DatabaseUnavailable, statement, transaction } from './transaction.ts';
