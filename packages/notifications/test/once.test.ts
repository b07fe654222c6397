import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { notificationFailureTypes as failure } from '../src/failure-types.ts';
import { readInbox, startInbox } from '../src/inbox.ts';
import { failureOf, fresh, type Office, openOffice } from './harness.ts';

let office: Office;
beforeAll(async () => {
  office = await openOffice('notifications_once');
});
afterAll(() => office.close());
afterEach(() => office.inbox.setFault(undefined));

describe('a mail', () => {
  it('arrives as it was written, dated by business time', async () => {
    const mail = fresh({ subject: 'Grüße, 顧客', text: 'ä\n.\n..', html: '<p>€ 5</p>' });
    const sent = await office.mailer.send(mail);
    expect(sent).toEqual({ messageId: expect.stringMatching(/^<[0-9a-f]{40}@shop\.example>$/), replayed: false });
    const [delivery, ...others] = await office.delivered(mail.to);
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({
      to: mail.to,
      from: expect.stringContaining('billing@shop.example'),
      subject: 'Grüße, 顧客',
      text: 'ä\n.\n..',
      html: expect.stringContaining('<p>€ 5</p>'),
      messageId: sent.messageId,
      date: '2027-03-20T09:30:00.000Z',
      delivery: 1,
    });
    expect(await office.recorded(mail.key)).toEqual(['sent']);
  });

  it('that is known sent is not sent again, and not when the mail server is gone', async () => {
    const mail = fresh();
    const { messageId } = await office.mailer.send(mail);
    const later = { ...mail, at: '2027-03-21T09:30:00.000Z' };
    expect(await office.mailer.send(later)).toEqual({ messageId, replayed: true });
    const nobody = office.mailerWith({ smtpUrl: 'smtp://127.0.0.1:1' });
    expect(await nobody.send(mail)).toEqual({ messageId, replayed: true });
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });

  it('asked for 20 times at once is delivered once', async () => {
    const mail = fresh();
    const answers = await Promise.all(Array.from({ length: 20 }, () => office.mailer.send({ ...mail })));
    expect(new Set(answers.map(({ messageId }) => messageId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });

  it('is another one under another key, also with an odd one, which is nowhere to be seen', async () => {
    const [one, other] = [fresh(), fresh({ key: 'kündigung <x@y>: 1' })];
    const { messageId: first } = await office.mailer.send({ ...one, to: other.to });
    const { messageId: second } = await office.mailer.send(other);
    expect(second).not.toBe(first);
    const deliveries = await office.delivered(other.to);
    expect(deliveries.map(({ messageId, delivery }) => [messageId, delivery])).toEqual([
      [first, 1],
      [second, 1],
    ]);
    const raw = await readFile(deliveries[1]?.file ?? '', 'latin1');
    expect(raw).not.toMatch(/x@y|ndigung/);
  });
});

describe('a second delivery', () => {
  it('happens when the 250 is lost, has the same id, and can be seen', async () => {
    office.inbox.setFault({ kind: 'lose-answer', times: 1 });
    const mail = fresh();
    const lost = await failureOf(office.mailer.send(mail));
    expect(lost).toMatchObject({ type: failure.mailServerUnavailable, retryable: true });
    expect(await office.recorded(mail.key)).toEqual([]);
    const { messageId, replayed } = await office.mailer.send(mail);
    expect(replayed).toBe(false);
    const deliveries = await office.delivered(mail.to);
    expect(deliveries.map((each) => [each.messageId, each.delivery])).toEqual([
      [messageId, 1],
      [messageId, 2],
    ]);
    const [one, other] = await Promise.all(deliveries.map(({ file }) => readFile(file, 'latin1')));
    expect(other).toBe(one);
    expect(await office.mailer.send(mail)).toMatchObject({ replayed: true });
    expect(await office.delivered(mail.to)).toHaveLength(2);
  });

  it('does not hide one that was lost before its server was started anew', async () => {
    const folder = `${office.folder}-2`;
    const mail = fresh();
    const first = await startInbox({ folder });
    first.setFault({ kind: 'lose-answer' });
    await failureOf(office.mailerWith({ smtpUrl: first.url }).send(mail));
    await first.close();
    const second = await startInbox({ folder, port: first.port });
    await office.mailerWith({ smtpUrl: first.url }).send(mail);
    await second.close();
    expect((await readInbox(folder)).map(({ delivery }) => delivery)).toEqual([1, 2]);
  });
});

describe('another mail under the same key', () => {
  it.each([
    ['to', { to: 'somebody-else@example.com' }],
    ['subject', { subject: 'Other' }],
    ['text', { text: 'Other' }],
    ['html', { html: 'Other' }],
  ])('is refused and not sent: another %s', async (_, change) => {
    const mail = fresh();
    await office.mailer.send(mail);
    const before = (await readInbox(office.folder)).length;
    expect(await failureOf(office.mailer.send({ ...mail, ...change }))).toMatchObject({ type: failure.mismatch });
    expect(await readInbox(office.folder)).toHaveLength(before);
  });

  it('is told by its request if it has one, whatever the wording', async () => {
    const mail = fresh({ request: { template: 'welcome', data: { name: 'Ada', plan: 'year' } } });
    await office.mailer.send(mail);
    const reworded = {
      ...mail,
      text: 'Reworded',
      request: { data: { plan: 'year', name: 'Ada' }, template: 'welcome' },
    };
    expect(await office.mailer.send(reworded)).toMatchObject({ replayed: true });
    const other = { ...mail, request: { template: 'welcome', data: { name: 'Eve', plan: 'year' } } };
    expect(await failureOf(office.mailer.send(other))).toMatchObject({ type: failure.mismatch });
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });
});

describe('the mail server', () => {
  it('refuses a recipient for good: that is the answer for ever', async () => {
    const mail = fresh();
    office.inbox.setFault({ kind: 'refuse', to: mail.to });
    const refused = { type: failure.refused, retryable: false, details: { code: 550, answer: '550 No such mailbox' } };
    expect(await failureOf(office.mailer.send(mail))).toMatchObject(refused);
    expect(await office.recorded(mail.key)).toEqual(['refused']);
    office.inbox.setFault(undefined);
    expect(await failureOf(office.mailer.send(mail))).toMatchObject(refused);
    expect(await office.delivered(mail.to)).toEqual([]);
    expect(await office.mailer.send({ ...mail, key: `${mail.key}:2` })).toMatchObject({ replayed: false });
  });

  it('refuses a mail that is too large', async () => {
    const inbox = await startInbox({ folder: `${office.folder}-small`, maxBytes: 2_000 });
    const mail = fresh({ text: 'long '.repeat(1_000) });
    const failed = await failureOf(office.mailerWith({ smtpUrl: inbox.url }).send(mail));
    expect(failed).toMatchObject({ type: failure.refused, details: { code: 552 } });
    expect(await readInbox(`${office.folder}-small`)).toEqual([]);
    await inbox.close();
  });

  it('puts the mail off for a while, then takes it', async () => {
    office.inbox.setFault({ kind: 'busy', times: 2 });
    const mail = fresh();
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await failureOf(office.mailer.send(mail))).toMatchObject({ type: failure.mailServerUnavailable });
      expect(await office.recorded(mail.key)).toEqual([]);
    }
    expect(await office.mailer.send(mail)).toMatchObject({ replayed: false });
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });

  it('is down, then up', async () => {
    const folder = `${office.folder}-down`;
    const first = await startInbox({ folder });
    await first.close();
    const mail = fresh();
    const mailer = office.mailerWith({ smtpUrl: first.url });
    expect(await failureOf(mailer.send(mail))).toMatchObject({ type: failure.mailServerUnavailable });
    const again = await startInbox({ folder, port: first.port });
    expect(await mailer.send(mail)).toMatchObject({ replayed: false });
    expect(await readInbox(folder)).toHaveLength(1);
    await again.close();
  });

  it('has no TLS where TLS is required: nothing is sent, and no password', async () => {
    const smtpUrl = office.inbox.url.replace('//', '//user:hidden@');
    const mail = fresh();
    const failed = await failureOf(office.mailerWith({ smtpUrl: `${smtpUrl}?requireTLS=true` }).send(mail));
    expect(failed).toMatchObject({ type: failure.mailServerUnavailable });
    expect(JSON.stringify([failed.message, failed.stack, failed.cause])).not.toContain('hidden');
    expect(await office.delivered(mail.to)).toEqual([]);
  });
});
