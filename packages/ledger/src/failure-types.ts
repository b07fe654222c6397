/** Why something was refused or failed. Programs branch on these, never on a message. */
export const ledgerFailureTypes = {
  /** The request breaks a rule: a name, an amount, a currency, a time. Nothing was written, and the key is still free. */
  invalidRequest: 'InvalidLedgerRequest',
  /** Another request was made under this key. Nothing was written. */
  mismatch: 'LedgerMismatch',
  /** The refund came first: what it was to undo cannot happen any more. */
  cancelled: 'Cancelled',
  unknownAccount: 'UnknownAccount',
  /** The account is there, opened under another key. */
  accountExists: 'AccountExists',
  accountFrozen: 'AccountFrozen',
  accountClosed: 'AccountClosed',
  /** It cannot be closed: it has a balance, or money of its own rests in suspense. */
  accountNotEmpty: 'AccountNotEmpty',
  currencyMismatch: 'CurrencyMismatch',
  /** The balance would fall below the overdraft. */
  insufficientFunds: 'InsufficientFunds',
  /** The balance would be more than JavaScript can count exactly. */
  balanceTooLarge: 'BalanceTooLarge',
  /** Another withdrawal was made for this reference. */
  referenceTaken: 'ReferenceTaken',
  /** There is nothing to deposit or to refund: never withdrawn, or deposited or refunded before (under another key). */
  nothingInSuspense: 'NothingInSuspense',
  /** It was withdrawn for another account. */
  wrongTarget: 'WrongTarget',
  /** The key that was to be refunded is not that of a charge. */
  notACharge: 'NotACharge',
  /** What this was to pay for was charged under another key, which the details name. */
  alreadySettled: 'AlreadySettled',
  /** The charge was refunded under another key. */
  alreadyRefunded: 'AlreadyRefunded',
  /** No answer from the database; the posting may have been made. The only one that is retried: same key, same answer. */
  databaseUnavailable: 'DatabaseUnavailable',
} as const;

export type LedgerFailureType = (typeof ledgerFailureTypes)[keyof typeof ledgerFailureTypes];
