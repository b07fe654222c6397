import { createPool } from '@repo/operations';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { notificationFailureTypes as failure } from '../src/failure-types.ts';
import { createNotificationActivities, html, NotificationError } from '../src/index.ts';
import { failureOf, fresh, type Office, openOffice } from './harness.ts';

const templates = {
  welcome: ({ name }: { name: string }) => ({
    subject: `Welcome, ${name}`,
    text: `Dear ${name}`,
    html: html`<p>Dear ${name}</p>`,
  }),
  cancelled: ({ paidUntil }: { paidUntil: string }) => ({
    subject: 'Cancelled',
    text: `Paid until ${paidUntil}`,
    html: html`<p>Paid until ${paidUntil}</p>`,
  }),
};

let office: Office;
beforeAll(async () => {
  office = await openOffice('notifications_activities');
});
afterAll(() => office.close());
afterEach(() => office.inbox.setFault(undefined));

const activities = () => createNotificationActivities(office.mailer, templates);
function welcome(name = 'Ada <b>') {
  const { key, at, to } = fresh();
  return { key, at, to, template: 'welcome' as const, data: { name } };
}

describe('ALL-1 sendMail', () => {
  it('twice at once, and late, has one effect and one answer', async () => {
    const { sendMail } = activities();
    const request = welcome();
    const [one, other] = await Promise.all([sendMail(request), sendMail(structuredClone(request))]);
    const late = await sendMail({ ...request, at: '2027-06-01T00:00:00.000Z' });
    expect([other, late]).toEqual([one, one]);
    expect(Object.keys(one)).toEqual(['messageId']);
    expect(await office.delivered(request.to)).toMatchObject([
      { subject: 'Welcome, Ada <b>', text: 'Dear Ada <b>', html: expect.stringContaining('Ada &#60;b&#62;') },
    ]);
  });

  it('late, by a worker whose templates are worded anew, is the same mail', async () => {
    const request = welcome();
    const first = await activities().sendMail(request);
    const welcomeAnew = ({ name }: { name: string }) => ({ subject: 'Hi', text: `Hi ${name}`, html: html`Hi` });
    const reworded = { ...templates, welcome: welcomeAnew };
    expect(await createNotificationActivities(office.mailer, reworded).sendMail(request)).toEqual(first);
    expect(await office.delivered(request.to)).toHaveLength(1);
  });
});

describe('failures', () => {
  async function failed(call: Promise<unknown>) {
    const error = await failureOf(call);
    expect(error).toBeInstanceOf(ApplicationFailure);
    return error;
  }
  const answer = { nonRetryable: true, category: ApplicationFailureCategory.BENIGN };

  it('are not retried if they are an answer, and say what is to be known', async () => {
    const { sendMail } = activities();
    const request = welcome();
    const invalid = await failed(sendMail({ ...request, to: 'nobody' }));
    expect(invalid).toMatchObject({ type: failure.invalidMail, details: [{ field: 'to' }], ...answer });
    expect(invalid.cause).toBeInstanceOf(NotificationError);
    const header = await failed(sendMail({ ...request, data: { name: 'A\r\nBcc: eve@example.com' } }));
    expect(header).toMatchObject({ type: failure.invalidMail, details: [{ field: 'subject' }], ...answer });
    for (const template of ['none', 'toString', '__proto__']) {
      const unknown = await failed(sendMail({ ...request, template: template as 'welcome' }));
      expect(unknown).toMatchObject({ type: failure.invalidMail, details: [{ field: 'template' }], ...answer });
    }
    await sendMail(request);
    const { key, at, to } = request;
    const other = sendMail({ key, at, to, template: 'cancelled', data: { paidUntil: 'May' } });
    expect(await failed(other)).toMatchObject({ type: failure.mismatch, ...answer });
    expect(await office.delivered(request.to)).toHaveLength(1);
    const refused = welcome();
    office.inbox.setFault({ kind: 'refuse' });
    const details = [{ code: 550, answer: '550 No such mailbox' }];
    expect(await failed(sendMail(refused))).toMatchObject({ type: failure.refused, details, ...answer });
  });

  it('are retried if there is no answer', async () => {
    office.inbox.setFault({ kind: 'busy' });
    const failedNow = await failed(activities().sendMail(welcome()));
    expect(failedNow).toMatchObject({ type: failure.mailServerUnavailable, nonRetryable: false });
    const pool = createPool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', connectionTimeoutMillis: 1000 });
    const { sendMail } = createNotificationActivities(office.mailerWith({ pool }), templates);
    const failedToo = await failed(sendMail(welcome()));
    expect(failedToo).toMatchObject({ type: failure.databaseUnavailable, nonRetryable: false });
    expect(failedToo.cause).toMatchObject({ name: 'DatabaseUnavailable' });
    await pool.end();
  });

  it('that are bugs stay what they are', async () => {
    const bug = new TypeError('a bug');
    const broken = createNotificationActivities({ send: () => Promise.reject(bug) }, templates);
    expect(await failureOf(broken.sendMail(welcome()))).toBe(bug);
  });
});
