import { html, type Template } from '@repo/notifications';
import { inWords, type MailKind, type Plan, spanInWords } from '../contract.ts';
import { inWordsAt } from './calendar.ts';

/** What the mails say. A mail that has been sent is not sent again because it was reworded here. */

/** What a workflow knows of a mail. Times are ISO 8601 in UTC, amounts minor units. */
export interface MailFacts {
  subscriptionId: string;
  plan: Plan;
  timeZone: string;
  /** Each where the kind of mail has to do with it. */
  period?: number;
  amount?: number;
  trialEndsAt?: string;
  nextTryAt?: string;
  endedAt?: string;
}

type Data = MailFacts & { name: string };

const money = (amount: number | undefined, { plan }: Data) => inWords({ amount: amount ?? 0, currency: plan.currency });
const time = (instant: string | undefined, { timeZone }: Data) => (instant ? inWordsAt(instant, timeZone) : 'now');

/** A greeting, the paragraphs and the name of the subscription, as text and as HTML. */
const letter =
  (subject: string, paragraphs: (data: Data) => string[]): Template<Data> =>
  (data) => {
    const all = [
      `Dear ${data.name},`,
      ...paragraphs(data),
      `Subscription ${data.subscriptionId}, plan ${data.plan.name}`,
    ];
    return {
      subject,
      text: `${all.join('\n\n')}\n`,
      html: html`<!doctype html><html lang="en"><body>${all.map((text) => html`<p>${text}</p>`)}</body></html>`,
    };
  };

const howLong = ({ plan }: Data): string =>
  plan.maxPeriods ? `It ends by itself after ${plan.maxPeriods} of these.` : 'It goes on until you cancel it.';

export const mails: Record<MailKind, Template<Data>> = {
  welcome: letter('Welcome', (data) => {
    const { plan } = data;
    const when = plan.billing === 'in-advance' ? 'at the beginning' : 'at the end';
    return [
      data.trialEndsAt === undefined
        ? 'Your subscription has begun.'
        : `Your trial has begun. It is free, until ${time(data.trialEndsAt, data)}.`,
      `You pay ${money(plan.price, data)} for each period of ${spanInWords(plan.period)}, ${when} of it. ${howLong(data)}`,
    ];
  }),
  'payment-declined': letter('Your payment was declined', (data) => [
    `We could not charge ${money(data.amount, data)} for period ${data.period}.`,
    `We will try again on ${time(data.nextTryAt, data)}. Please see to it that there is enough money by then.`,
  ]),
  'trial-cancelled': letter('Your trial has been cancelled', (data) => [
    `Your trial was cancelled, with effect from ${time(data.endedAt, data)}. You pay nothing for it.`,
  ]),
  'subscription-cancelled': letter('Your subscription has been cancelled', (data) => [
    `Your subscription was cancelled, with effect from ${time(data.endedAt, data)}. Nothing more will be charged.`,
  ]),
  'subscription-ended': letter('Your subscription has ended', (data) => [
    `Your subscription has come to its end, on ${time(data.endedAt, data)}. Nothing more will be charged.`,
  ]),
  'subscription-unpaid': letter('Your subscription has been ended', (data) => [
    `We could not charge ${money(data.amount, data)} for period ${data.period}, however often we tried.`,
    `So your subscription was ended, on ${time(data.endedAt, data)}. Nothing more will be charged.`,
  ]),
};
