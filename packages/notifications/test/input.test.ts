import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationFailureTypes as failure } from '../src/failure-types.ts';
import { readInbox } from '../src/inbox.ts';
import { createMailer, type MailRequest, NotificationError } from '../src/index.ts';
import { failureOf, fresh, type Office, openOffice } from './harness.ts';

let office: Office;
beforeAll(async () => {
  office = await openOffice('notifications_input');
});
afterAll(() => office.close());

const bad: { [field in keyof MailRequest]-?: unknown[] } = {
  key: ['', 'k'.repeat(501), 'a\0b', 'a\nb', '\ud800', 7, undefined, null, {}],
  at: [
    '',
    'now',
    '2027-02-30T12:00:00.000Z',
    '2027-03-20',
    '0000-01-01T00:00:00.000Z',
    'a\r\nBcc: e@x.org',
    5,
    undefined,
  ],
  to: [
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@localhost',
    'ada@[127.0.0.1]',
    'ada@example.c',
    'ada@example..com',
    'ada@-example.com',
    'a..b@example.com',
    '.a@example.com',
    '"a b"@example.com',
    'a b@example.com',
    'Ada <ada@example.com>',
    'ada@example.com, eve@example.com',
    'ada@example.com;eve@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com>\r\nRCPT TO:<eve@example.com',
    'ada@example.com\n',
    'ada@example.com\0',
    'ädä@example.com',
    'ada@exämple.com',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
    `ada@${'a.'.repeat(130)}com`,
    7,
    ['ada@example.com'],
    undefined,
  ],
  subject: [
    '',
    ' ',
    's'.repeat(201),
    'Hi\r\nBcc: eve@example.com',
    'Hi\nX-Evil: 1',
    'Hi\r',
    'Hi\u2028there',
    'Hi\u0085',
    'a\0b',
    '\udfff',
    7,
    undefined,
  ],
  text: ['', 'a\0b', 'a\u001bb', '\ud800', 't'.repeat(100_001), 7, undefined, { path: '/etc/passwd' }],
  html: ['', 'a\0b', 'a\u0007b', '\ud800', 'h'.repeat(100_001), 7, undefined, { path: '/etc/passwd' }],
  request: [5n, { deep: { value: 5n } }],
};
const cases = Object.entries(bad).flatMap(([field, values]) =>
  values.map((value): [string, unknown] => [field, value]),
);

describe('a mail', () => {
  it.each(cases)('is refused for its %s %o, with nothing sent and its key still free', async (field, value) => {
    const mail = fresh();
    const refused = await failureOf(office.mailer.send({ ...mail, [field]: value }));
    expect(refused).toBeInstanceOf(NotificationError);
    expect(refused).toMatchObject({ type: failure.invalidMail, details: { field } });
    expect(refused.message).toMatch(new RegExp(`^${field}: `));
    expect(refused.message).not.toMatch(/eve|passwd/);
    expect(await office.recorded(mail.key)).toEqual([]);
    expect(await office.delivered(mail.to)).toEqual([]);
  });

  it('may be as long as it says, and go to any ordinary address', async () => {
    const addresses = [
      "o'neil+tag@sub.example-shop.co",
      'a@b.io',
      'UPPER_case.x@example.COM',
      'x@xn--exmple-cua.xn--p1ai',
    ];
    for (const to of addresses) {
      const { key } = fresh();
      const long = { subject: 'Ü'.repeat(200), text: 'ä\t\r\n'.repeat(20_000), html: '<p>'.padEnd(100_000, 'x') };
      await office.mailer.send(fresh({ key: `${key}`.padEnd(500, 'k'), to, ...long }));
      const deliveries = (await readInbox(office.folder)).filter((each) => each.to.toLowerCase() === to.toLowerCase());
      expect(deliveries).toHaveLength(1);
      expect(deliveries[0]?.subject).toBe(long.subject);
      expect(deliveries[0]?.html).toContain(long.html);
    }
  });

  it('has no header and no recipient but its own, whatever is in its fields', async () => {
    const usual = await headersAndRecipients(fresh());
    expect(usual?.deliveries).toBe(1);
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc
        .array(
          fc.constantFrom(
            '\r\n',
            '\n',
            '\r',
            'Bcc: ',
            'eve@example.com',
            ':',
            '=?utf-8?Q?',
            '=0D=0A',
            '?=',
            '<',
            '>',
            ',',
            '"',
            '\u2028',
            ' ',
            '.',
            'DATA',
            'a',
          ),
          { maxLength: 12 },
        )
        .map((parts) => parts.join('')),
    );
    const field = fc.constantFrom('subject' as const, 'to' as const, 'key' as const, 'text' as const, 'html' as const);
    await fc.assert(
      fc.asyncProperty(field, nasty, fc.boolean(), async (name, value, appended) => {
        const mail = fresh();
        const found = await headersAndRecipients({ ...mail, [name]: appended ? `${mail[name]}${value}` : value });
        // Refused, or a mail like any other.
        if (!found) return;
        expect(found.deliveries).toBe(1);
        expect(found.headers).toEqual(usual?.headers);
        if (name === 'subject')
          expect(found.subject.trim()).toBe((appended ? `${mail.subject}${value}` : value).trim());
      }),
      { numRuns: 100 },
    );
  });
});

/** What was delivered of it; undefined if it was refused as invalid, and then nothing was. */
async function headersAndRecipients(mail: MailRequest) {
  const before = await readdir(office.folder);
  const failed = await office.mailer.send(mail).then(
    () => undefined,
    (error: NotificationError) => error,
  );
  const files = (await readdir(office.folder)).filter((file) => !before.includes(file));
  if (failed) {
    expect(failed.type).toBe(failure.invalidMail);
    expect(files).toEqual([]);
    return undefined;
  }
  const parsed = await simpleParser(await readFile(join(office.folder, files[0] ?? '')));
  const headers = parsed.headerLines.map(({ key }) => key);
  return { deliveries: files.length, headers, subject: parsed.subject ?? '' };
}

describe('the sender', () => {
  const create = (from: string) => () => createMailer({ pool: office.pool, smtpUrl: office.inbox.url, from });
  it.each(['', 'shop', 'Shop <>', 'Shop <a@b.co', 'a@b.co\r\nBcc: e@x.org', 'Shop\n <a@b.co>', 'a@b.co, c@d.co'])(
    'is refused: %j',
    (from) => expect(create(from)).toThrow(/^MAIL_FROM /),
  );
  it.each(['a@b.co', 'Shop <a@b.co>', 'Shop, Ltd. "x" <a@b.co>', 'Läden <a@b.co>'])('is taken: %j', async (from) => {
    const mail = fresh();
    await create(from)().send(mail);
    const [delivery] = await office.delivered(mail.to);
    expect(delivery?.from).toContain('a@b.co');
    expect(delivery?.messageId).toMatch(/@b\.co>$/);
  });
});
