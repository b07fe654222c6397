import { expect, it } from 'vitest';
import { catalogue, type MailKind } from '../src/contract.ts';
import { mails } from '../src/services/mails.ts';

const [phone, endless] = [catalogue['phone-36'], catalogue.endless];
if (!phone || !endless) throw new Error('two plans');

const facts = { subscriptionId: 'sub-1', name: 'Ada <Lovelace>', plan: phone, timeZone: 'Europe/Berlin' };
const one = { period: 4, amount: 2999, nextTryAt: '2027-03-28T10:00:00.000Z', endedAt: '2027-03-31T10:00:00.000Z' };

it.each(Object.keys(mails) as MailKind[])('%s says what it has to', (kind) => {
  const { subject, text, html } = mails[kind]({ ...facts, ...one });
  expect(`${subject}\n\n${text}`).toMatchSnapshot();
  expect(html.toString()).toContain('Dear Ada &#60;Lovelace&#62;,');
  expect(html.toString()).not.toContain('<Lovelace>');
});

it('welcome to a plan with a trial, without an end', () => {
  const { text } = mails.welcome({ ...facts, plan: endless, trialEndsAt: '2027-05-30T07:00:00.000Z' });
  expect(text).toMatchSnapshot();
});
