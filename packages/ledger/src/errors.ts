import { type LedgerFailureType, ledgerFailureTypes } from './failure-types.ts';

/** The ledger's no: it will be the same tomorrow, and nothing was posted. */
export class LedgerError extends Error {
  override name = 'LedgerError';
  /** One of `ledgerFailureTypes`. */
  readonly type: LedgerFailureType;
  /** Plain JSON for whoever has to explain it, such as the account and its balance. */
  readonly details: Record<string, unknown>;
  constructor(type: LedgerFailureType, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.type = type;
    this.details = details;
  }
}

export const invalid = (field: string, message: string): LedgerError =>
  new LedgerError(ledgerFailureTypes.invalidRequest, `${field}: ${message}`, { field });
