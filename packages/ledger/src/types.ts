/**
 * What every change of the books has in common. `key` is the business operation, 1 to 500 characters: the same key is the
 * same operation, however often and by whomever it is asked for. `at` is business time, ISO 8601 in UTC as `toISOString`
 * writes it; the first call's is kept, and another one's makes no other request.
 */
export interface Keyed {
  key: string;
  at: string;
}

/** Minor units, 1 to `Number.MAX_SAFE_INTEGER`; `currency` is one of those in `./money.ts`. */
export interface Money {
  amount: number;
  currency: string;
}

/** `account`: 1 to 64 letters, digits, `.`, `_` and `-`. `overdraft`: how far below zero it may go, 0 if left out. */
export interface OpenAccountRequest extends Keyed {
  account: string;
  currency: string;
  overdraft?: number;
}
export interface Opening extends Keyed {
  account: string;
  currency: string;
  overdraft: number;
}

export type AccountStatus = 'open' | 'frozen' | 'closed';
export interface StatusRequest extends Keyed {
  account: string;
}
export interface StatusChange extends Keyed {
  account: string;
  status: AccountStatus;
}

export interface PayInRequest extends Keyed, Money {
  account: string;
}

/** `reference` names the transfer, 1 to 200 characters: withdrawal, deposit and refund find each other by it. */
export interface WithdrawRequest extends Keyed, Money {
  reference: string;
  account: string;
  /** The only account where it may be deposited. Must be open and of the same currency now, or nothing is withdrawn. */
  target?: string;
  /** The caller's own: with other details, it is another request. */
  details?: Details;
}
/** Text without NUL, finite numbers, booleans and null. */
export type Details = Record<string, string | number | boolean | null>;
export interface DepositRequest extends Keyed {
  reference: string;
  account: string;
}
export interface RefundRequest extends Keyed {
  reference: string;
}

export interface ChargeRequest extends Keyed, Money {
  from: string;
  to: string;
  /**
   * What it pays for, 1 to 200 characters: of all charges that settle the same, at most one ever succeeds, refunded or not.
   * Each intended try has a key of its own.
   */
  settles?: string;
}
/** `charge` is the key of what is to be refunded. */
export interface RefundChargeRequest extends Keyed {
  charge: string;
}

/** Money that left `from` and reached `to`. */
export interface Posting extends Keyed, Money {
  from: string;
  to: string;
}

/** False if there was nothing to give back, and now there never will be: what comes late is refused. */
export type Refund = { refunded: true; posting: Posting } | { refunded: false };

/** True if this key had been answered before, and nothing was done now. */
export type Replayable<Outcome> = Outcome & { replayed: boolean };

/** `balance` in minor units; `suspense:EUR` and `external:EUR` are the accounts that all money of a currency passes. */
export interface Account {
  account: string;
  kind: 'customer' | 'suspense' | 'external';
  currency: string;
  status: AccountStatus;
  overdraft: number;
  balance: number;
  openedAt: string;
}

/** `from` is included and `to` is not; both ISO 8601 in UTC. `limit` is 100 if left out, and 1000 at most. */
export interface StatementRequest {
  account: string;
  from?: string;
  to?: string;
  limit?: number;
  /** `next` of the page before. */
  after?: StatementPosition;
}
export interface StatementPosition {
  at: string;
  id: number;
}
export interface StatementEntry extends StatementPosition {
  key: string;
  kind: 'pay-in' | 'withdrawal' | 'deposit' | 'refund' | 'charge' | 'charge-refund';
  /** Negative if it left the account. */
  amount: number;
  counterparty: string;
  /** After this entry, in the order of the statement. */
  balance: number;
}
/** In the order of business time; `opening` and `closing` are the balances before and after the entries of this page. */
export interface Statement {
  account: string;
  currency: string;
  opening: number;
  entries: StatementEntry[];
  closing: number;
  /** There are more. */
  next?: StatementPosition;
}

/** Money on its way: withdrawn, and neither deposited nor refunded. */
export interface SuspenseItem extends Money {
  reference: string;
  /** Where a refund would go. */
  account: string;
  /** Business time of the withdrawal. */
  at: string;
  /** Milliseconds since it was written, by the database's clock. For reconcilers; business decisions go by `at`. */
  age: number;
}
/** What became of a transfer's money. A cancelled one was refunded before it was withdrawn; `at` is when. */
export type Transfer = { reference: string; at: string } & (
  | { status: 'cancelled' }
  | ({ status: 'resting' | 'deposited' | 'refunded'; account: string } & Money)
);
export interface SuspenseRequest {
  /** Milliseconds: only what is at least as old. */
  olderThan?: number;
  /** The last reference of the page before. */
  after?: string;
  /** 100 if left out, and 1000 at most. */
  limit?: number;
}

/** The charge that settled something. `refunded` if it was given back since. */
export interface Settlement {
  posting: Posting;
  refunded: boolean;
}

/** What is known of a key. `outcome` is what the call answered, the refusal, or null for a tombstone. */
export interface Operation extends Keyed {
  kind: 'opening' | 'status' | StatementEntry['kind'];
  status: 'done' | 'refused' | 'cancelled';
  outcome: unknown;
  /** By the database's clock, for reconcilers. */
  createdAt: string;
}

/** The whole books of one currency, at one moment. Minor units as text, for sums may pass 2^53. */
export interface Totals {
  currency: string;
  customers: string;
  suspense: string;
  external: string;
}
