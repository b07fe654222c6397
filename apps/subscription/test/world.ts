import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLedger, type Ledger } from '@repo/ledger';
import { type Delivery, type Inbox, readInbox, startInbox } from '@repo/notifications/inbox';
import { createPool } from '@repo/operations';
import { Faults, postgresUrl, Wire } from '@repo/testing';
import type { Pool } from 'pg';
import type { MailKind, PlanInput, SubscriptionInput, SubscriptionState } from '../src/contract.ts';
import { booked, disagreements, wrongInBooks, wrongInMails } from '../src/extras/invariants.ts';
import { type DatabaseUrls, provisionServices } from '../src/extras/local-services.ts';
import { createServices, type Services } from '../src/services.ts';

const subjects: Record<string, MailKind> = {
  Welcome: 'welcome',
  'Your payment was declined': 'payment-declined',
  'Your trial has been cancelled': 'trial-cancelled',
  'Your subscription has been cancelled': 'subscription-cancelled',
  'Your subscription has ended': 'subscription-ended',
  'Your subscription has been ended': 'subscription-unpaid',
};

type Env = DatabaseUrls & Record<'SMTP_URL' | 'MAIL_FROM', string>;

/** A month's phone in advance, without a trial; ended after three declined tries. */
export const monthly: PlanInput = {
  name: 'monthly',
  trial: 'none',
  period: { months: 1 },
  billing: 'in-advance',
  price: 1_000,
  currency: 'EUR',
  dunning: [{ days: 3 }, { days: 5 }],
};

/** Databases and an inbox of a test file's own, and what a test needs to look into them and to break them. */
export class World {
  /** The app's own services; they reach databases and mail server by the wires, the ledger through the faults. */
  readonly services: Services;
  /** Between activity and ledger, by the name of the call: `before-transaction` and `after-commit`. */
  faults = new Faults();
  /** For programs that are to use the same, past the wires. */
  readonly env: Env;
  /** The ledger, past the wire. */
  readonly ledger: Ledger;
  readonly postgres: Wire;
  readonly smtp: Wire;
  readonly inbox: Inbox;
  readonly #folder: string;
  readonly #pool: Pool;
  readonly #name: string;
  #count = 0;

  private constructor(env: Env, wires: { postgres: Wire; smtp: Wire }, inbox: Inbox, folder: string, name: string) {
    this.env = env;
    this.postgres = wires.postgres;
    this.smtp = wires.smtp;
    this.inbox = inbox;
    this.#folder = folder;
    this.#name = name;
    this.#pool = createPool({ connectionString: env.LEDGER_URL });
    this.ledger = createLedger(this.#pool);
    const wired = (url: string, { port }: Wire) => {
      const by = new URL(url);
      by.port = String(port);
      return by.href;
    };
    const services = createServices({
      ...env,
      MERCHANT: 'merchant',
      DATABASE_URL: wired(env.DATABASE_URL, this.postgres),
      MAIL_DATABASE_URL: wired(env.MAIL_DATABASE_URL, this.postgres),
      LEDGER_URL: wired(env.LEDGER_URL, this.postgres),
      SMTP_URL: wired(env.SMTP_URL, this.smtp),
    });
    const around = <Request, Answer>(name: string, call: (request: Request) => Promise<Answer>) => {
      return async (request: Request): Promise<Answer> => {
        await this.faults.reach('before-transaction', name);
        const answer = await call(request);
        await this.faults.reach('after-commit', name);
        return answer;
      };
    };
    const { ledger } = services;
    const faulty = {
      charge: around('charge', ledger.charge),
      refundCharge: around('refundCharge', ledger.refundCharge),
    };
    this.services = { ...services, ledger: { ...ledger, ...faulty } };
  }

  /** @param adminUrl of another server than the one that all files share */
  static async create(adminUrl = postgresUrl()): Promise<World> {
    const name = randomUUID().slice(0, 8);
    const folder = await mkdtemp(join(tmpdir(), 'subscription-'));
    // Also if the end of a failed test takes too long to be waited for.
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const [urls, inbox] = await Promise.all([
      provisionServices(adminUrl, async (of) => `secret of ${of}`, { database: `subscription_${name}` }),
      startInbox({ folder }),
    ]);
    const { hostname, port } = new URL(urls.DATABASE_URL);
    const wires = { postgres: new Wire(hostname, Number(port)), smtp: new Wire('127.0.0.1', inbox.port) };
    await Promise.all([wires.postgres.up(), wires.smtp.up()]);
    const env = { ...urls, SMTP_URL: inbox.url, MAIL_FROM: 'Phones <billing@phones.example>' };
    return new World(env, wires, inbox, folder, name);
  }

  /** A name that no other test has. */
  fresh(what: string): string {
    this.#count += 1;
    return `${what}-${this.#name}-${this.#count}`;
  }

  /** A customer with so much on an account of her own, in minor units. */
  async customer({ balance = 1_000_000_000, currency = 'EUR', timeZone = 'UTC' } = {}): Promise<string> {
    const id = this.fresh('customer');
    const at = new Date().toISOString();
    await this.ledger.openAccount({ key: `open:${id}`, at, account: id, currency });
    if (balance > 0) await this.payIn(id, balance, currency);
    await this.services.customers.put({ id, name: 'Ada', email: `${id}@example.com`, account: id, timeZone });
    return id;
  }

  async payIn(account: string, amount: number, currency = 'EUR'): Promise<void> {
    const key = this.fresh('pay-in');
    await this.ledger.payIn({ key, at: new Date().toISOString(), account, amount, currency });
  }

  /** Of a new customer, to `monthly` unless told otherwise. */
  async aSubscription(
    changes: Partial<Omit<SubscriptionInput, 'plan'>> & { plan?: SubscriptionInput['plan'] } = {},
  ): Promise<SubscriptionInput> {
    const customer = changes.customer ?? (await this.customer());
    return { subscriptionId: this.fresh('sub'), plan: monthly, ...changes, customer };
  }

  /** All deliveries to a customer, oldest first. */
  async mailsTo(customer: string): Promise<Delivery[]> {
    return (await readInbox(this.#folder)).filter(({ to }) => to === `${customer}@example.com`);
  }

  /** The kinds of mail that a customer was sent, oldest first. */
  async kindsTo(customer: string): Promise<string[]> {
    return (await this.mailsTo(customer)).map(({ subject }) => subjects[subject] ?? subject);
  }

  /** What a subscription has booked, as `charge 1: 1000` and `refund 1: -1000`, oldest first. */
  async booked({
    subscriptionId,
    customer,
  }: Pick<SubscriptionInput, 'subscriptionId' | 'customer'>): Promise<string[]> {
    const all = await booked(this.ledger, customer, subscriptionId);
    return all.map(({ what, period, amount }) => `${what}${period === undefined ? '' : ` ${period}`}: ${amount}`);
  }

  /** The ledger's keys that were asked for, without `subscription:{id}:`, with what became of each, oldest first. */
  async asked(subscriptionId: string): Promise<string[]> {
    const select = 'SELECT key, status FROM operations WHERE starts_with(key, $1) ORDER BY created_at, key';
    const prefix = `subscription:${subscriptionId}:`;
    const { rows } = await this.#pool.query<{ key: string; status: string }>(select, [prefix]);
    return rows.map(({ key, status }) => `${key.slice(prefix.length)} ${status}`);
  }

  /** All that is wrong with a subscription at rest, in words. */
  async wrongWith(state: SubscriptionState): Promise<string[]> {
    const mails = await this.mailsTo(state.customer);
    const twice = mails.filter(({ delivery }) => delivery > 1).map(({ subject }) => `delivered again: ${subject}`);
    const kinds = mails.map(({ subject }) => subjects[subject] ?? subject);
    return [...(await disagreements(this.ledger, state)), ...wrongInMails(state, kinds), ...twice];
  }

  wrong(): Promise<string[]> {
    return wrongInBooks(this.ledger);
  }

  async end(): Promise<void> {
    this.faults.off();
    this.inbox.setFault(undefined);
    await this.services.close();
    await Promise.all([this.postgres.down(), this.smtp.down(), this.#pool.end()]);
    await this.inbox.close();
    rmSync(this.#folder, { recursive: true });
  }
}
