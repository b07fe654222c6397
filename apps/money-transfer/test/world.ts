import { randomUUID } from 'node:crypto';
import { createLedger, type Ledger } from '@repo/ledger';
import { createPool } from '@repo/operations';
import { Faults, postgresUrl, Wire } from '@repo/testing';
import type { Pool } from 'pg';
import type { Leg, TransferRequest } from '../src/contract.ts';
import { wrongInBooks } from '../src/extras/invariants.ts';
import { provisionLedger } from '../src/extras/local-ledger.ts';
import { createServices, type Services } from '../src/services.ts';

/** A ledger in a database of a test file's own, and what a test needs to look into it and to break it. */
export class World {
  /** The app's own services; they reach the ledger by the wire, through the faults. */
  readonly services: Services;
  /** Between activity and database, by the name of the leg: `before-transaction` and `after-commit`. */
  faults = new Faults();
  /** For programs that are to use the same ledger, past the wire. */
  readonly env: { DATABASE_URL: string };
  /** The ledger, past the wire. */
  readonly ledger: Ledger;
  readonly postgres: Wire;
  readonly #pool: Pool;
  readonly #name: string;
  #count = 0;

  private constructor(env: { DATABASE_URL: string }, postgres: Wire, name: string) {
    this.env = env;
    this.postgres = postgres;
    this.#name = name;
    this.#pool = createPool({ connectionString: env.DATABASE_URL });
    this.ledger = createLedger(this.#pool);
    const url = new URL(env.DATABASE_URL);
    url.port = String(postgres.port);
    const services = createServices({ DATABASE_URL: url.href });
    const { ledger: wired } = services;
    const around = <Request, Answer>(leg: Leg, call: (request: Request) => Promise<Answer>) => {
      return async (request: Request): Promise<Answer> => {
        await this.faults.reach('before-transaction', leg);
        const answer = await call(request);
        await this.faults.reach('after-commit', leg);
        return answer;
      };
    };
    const { withdraw, deposit, refund } = wired;
    const legs = {
      withdraw: around('withdraw', withdraw),
      deposit: around('deposit', deposit),
      refund: around('refund', refund),
    };
    this.services = { ...services, ledger: { ...wired, ...legs } };
  }

  /** @param adminUrl of another server than the one that all files share */
  static async create(adminUrl = postgresUrl()): Promise<World> {
    const name = randomUUID().slice(0, 8);
    const DATABASE_URL = await provisionLedger(adminUrl, async (of) => `secret of ${of}`, `transfers_${name}`);
    const { hostname, port } = new URL(DATABASE_URL);
    const postgres = new Wire(hostname, Number(port));
    await postgres.up();
    return new World({ DATABASE_URL }, postgres, name);
  }

  /** A name that no other test has. */
  fresh(what: string): string {
    this.#count += 1;
    return `${what}-${this.#name}-${this.#count}`;
  }

  /** An account of its own for a test, with so much on it. */
  async account(balance = 0, { currency = 'EUR', overdraft = 0 } = {}): Promise<string> {
    const account = this.fresh('account');
    const at = new Date().toISOString();
    await this.ledger.openAccount({ key: `open:${account}`, at, account, currency, overdraft });
    if (balance > 0) {
      await this.ledger.payIn({ key: `pay-in:${account}`, at, account, amount: balance, currency });
    }
    return account;
  }

  async freeze(...accounts: string[]): Promise<void> {
    const at = new Date().toISOString();
    for (const account of accounts) await this.ledger.freezeAccount({ key: this.fresh('freeze'), at, account });
  }

  async unfreeze(...accounts: string[]): Promise<void> {
    const at = new Date().toISOString();
    for (const account of accounts) await this.ledger.unfreezeAccount({ key: this.fresh('unfreeze'), at, account });
  }

  async close(account: string): Promise<void> {
    await this.ledger.closeAccount({ key: this.fresh('close'), at: new Date().toISOString(), account });
  }

  /** 12.50 EUR from one new account with 100.00 EUR to another new one, unless told otherwise. */
  async aTransfer(changes: Partial<TransferRequest> = {}): Promise<TransferRequest> {
    const { amount = 1250, currency = 'EUR' } = changes;
    return {
      reference: this.fresh('ref'),
      from: changes.from ?? (await this.account(Math.max(10_000, amount), { currency })),
      to: changes.to ?? (await this.account(0, { currency })),
      amount,
      currency,
      requestedBy: 'Ada',
      approvalWithin: 86_400,
      ...changes,
    };
  }

  /** In minor units. */
  balances(...accounts: string[]): Promise<number[]> {
    return Promise.all(accounts.map(async (account) => (await this.ledger.account({ account })).balance));
  }

  /** The keys under which anything was ever asked for a reference, with what became of it, oldest first. */
  async asked(reference: string): Promise<string[]> {
    const select = `SELECT key, status FROM operations WHERE key LIKE $1 ORDER BY created_at`;
    const { rows } = await this.#pool.query<{ key: string; status: string }>(select, [`transfer:${reference}:%`]);
    return rows.map(({ key, status }) => `${key.replace(`transfer:${reference}:`, '')} ${status}`);
  }

  wrong(): Promise<string[]> {
    return wrongInBooks(this.ledger);
  }

  async end(): Promise<void> {
    this.faults.off();
    await this.services.close();
    await Promise.all([this.postgres.down(), this.#pool.end()]);
  }
}
