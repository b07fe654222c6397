import { type ChargeRequest, createLedgerActivities, LedgerError, type Posting, toLedgerFailure } from '@repo/ledger';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { createNotificationActivities } from '@repo/notifications';
import { ApplicationFailure } from '@temporalio/common';
import {
  catalogue,
  failureTypes,
  keys,
  type MailKind,
  type Plan,
  type Reason,
  type SubscriptionRequest,
} from './contract.ts';
import { type BoundaryRequest, boundary, isTimeZone } from './services/calendar.ts';
import { type MailFacts, mails } from './services/mails.ts';
import type { Services } from './services.ts';

/** What is agreed on when somebody subscribes, and holds whatever becomes of the catalogue. `from` and `to` are accounts. */
export interface Terms {
  plan: Plan;
  timeZone: string;
  from: string;
  to: string;
}

/** A mail that a workflow wants to be sent. `key` and `at` as in `MailRequest`. */
export interface Mail {
  key: string;
  at: string;
  kind: MailKind;
  customer: string;
  facts: MailFacts;
}

/**
 * The only place where this app touches the world. Each may run more than once; where something is written, the key makes the
 * second time harmless.
 */
export function createActivities({ ledger, customers, mailer, merchant }: Services) {
  const { refundCharge } = createLedgerActivities(ledger);
  const { sendMail } = createNotificationActivities(mailer, mails);

  /** Looks up everything that the subscription needs; writes nothing. A no is a value. `startedAt` is ISO 8601 in UTC. */
  async function admit({
    subscriptionId,
    customer,
    plan,
    timeZone,
    startedAt,
  }: SubscriptionRequest & { startedAt: string }): Promise<Terms | { refused: Reason }> {
    const refused = (type: string, message: string) => ({ refused: { type, message } });
    const found = await customers.find(customer);
    if (!found) return refused(failureTypes.unknownCustomer, `customer: there is no customer ${customer}`);
    const agreed = typeof plan === 'string' ? planOf(plan) : plan;
    if (!agreed) {
      const known = Object.keys(catalogue).join(', ');
      return refused(failureTypes.unknownPlan, `plan: there is no plan of that name; there are ${known}`);
    }
    const zone = timeZone ?? found.timeZone;
    if (!isTimeZone(zone)) return refused(failureTypes.unknownTimeZone, `timeZone: there is no time zone ${zone}`);
    const to = merchant(agreed.currency);
    try {
      const settles = keys.settles(subscriptionId, 1);
      const [payer, first] = await Promise.all([
        ledger.account({ account: found.account }),
        ledger.settlement({ settles }),
        ledger.account({ account: to }),
      ]);
      // Temporal forgets what is long over, and the ledger does not: the periods of that one would count as paid for.
      if (first && first.posting.at < startedAt) {
        const message = `subscriptionId: there was a subscription ${subscriptionId} before, which was charged at ${first.posting.at}`;
        return refused(failureTypes.idTaken, message);
      }
      if (payer.currency !== agreed.currency) {
        const message = `plan: it is paid in ${agreed.currency}, and the account of ${customer} is kept in ${payer.currency}`;
        return refused(ledgerFailureTypes.currencyMismatch, message);
      }
    } catch (error) {
      if (error instanceof LedgerError) return refused(error.type, error.message);
      throw toLedgerFailure(error);
    }
    return { plan: agreed, timeZone: zone, from: found.account, to };
  }

  /**
   * Charges, and says whether that has been given back: of a charge that was made before, as by the run before a reset, it may
   * have been. A no that such a run was told is no answer to this one (`declinedBefore`), for there may be money by now.
   */
  async function charge(request: ChargeRequest): Promise<Posting & { refunded: boolean }> {
    const { key, at, settles } = request;
    try {
      const { replayed, ...posting } = await ledger.charge(request);
      const found = replayed && settles !== undefined ? await ledger.settlement({ settles }) : undefined;
      return { ...posting, refunded: found?.refunded ?? false };
    } catch (error) {
      const isNo = error instanceof LedgerError && settles !== undefined;
      const kept = isNo ? await ledger.operation({ key }).catch(rethrown) : undefined;
      if (kept?.status !== 'refused' || kept.at === at) throw toLedgerFailure(error);
      const message = `${key} was declined at ${kept.at}`;
      throw ApplicationFailure.create({ type: failureTypes.declinedBefore, message, nonRetryable: true });
    }
  }

  /** The charge that succeeded under this name, if one has. */
  async function settlement(request: { settles: string }) {
    try {
      return (await ledger.settlement(request)) ?? null;
    } catch (error) {
      throw toLedgerFailure(error);
    }
  }

  /** To the customer's address of today. Once under its key, but for what `Mailer.send` says. */
  async function notify({ key, at, kind, customer, facts }: Mail): Promise<{ messageId: string }> {
    const found = await customers.find(customer);
    if (!found) {
      const message = `there is no customer ${customer} any more`;
      throw ApplicationFailure.create({ type: failureTypes.unknownCustomer, message, nonRetryable: true });
    }
    return sendMail({ key, at, to: found.email, template: kind, data: { ...facts, name: found.name } });
  }

  return {
    charge,
    refundCharge,
    admit,
    settlement,
    notify,
    boundary: async (request: BoundaryRequest) => boundary(request),
  };
}

const rethrown = (error: unknown): never => {
  throw toLedgerFailure(error);
};

const planOf = (name: string): Plan | undefined => (Object.hasOwn(catalogue, name) ? catalogue[name] : undefined);

export type Activities = ReturnType<typeof createActivities>;
