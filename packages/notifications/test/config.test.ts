import { describe, expect, it } from 'vitest';
import { smtpServer } from '../src/config.ts';
import { createMailer, smtpConfig } from '../src/index.ts';

const plain = { secure: false, requireTLS: false, ignoreTLS: true };
const startTls = { secure: false, requireTLS: true, ignoreTLS: false };
const tls = { secure: true, requireTLS: false, ignoreTLS: false };

describe('SMTP_URL', () => {
  it.each([
    ['smtp://127.0.0.1:2525', { host: '127.0.0.1', port: 2525, ...plain }],
    ['smtp://localhost:2525/', { host: 'localhost', port: 2525, ...plain }],
    ['smtp://[::1]:2525', { host: '::1', port: 2525, ...plain }],
    ['smtp://127.0.0.1:2525?requireTLS=true', { host: '127.0.0.1', port: 2525, ...startTls }],
    ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, ...startTls }],
    ['smtp://mail.example.com:25?requireTLS=false', { host: 'mail.example.com', port: 25, ...startTls }],
    ['smtp://127.0.0.1.example.com', { host: '127.0.0.1.example.com', port: 587, ...startTls }],
    ['smtp://localhost.example.com', { host: 'localhost.example.com', port: 587, ...startTls }],
    ['smtp://10.0.0.7:25', { host: '10.0.0.7', port: 25, ...startTls }],
    ['smtps://mail.example.com', { host: 'mail.example.com', port: 465, ...tls }],
    [
      'smtps://me%40example.com:p%2Fw%20d@mail.example.com:2465',
      { host: 'mail.example.com', port: 2465, ...tls, auth: { user: 'me@example.com', pass: 'p/w d' } },
    ],
  ])('%s', (url, expected) => {
    expect(smtpServer(url)).toEqual(expected);
    expect(smtpConfig.safeParse({ SMTP_URL: url, MAIL_FROM: 'a@b.co' }).success).toBe(true);
  });

  it.each([
    '',
    'mail.example.com',
    'http://mail.example.com',
    'smtp://',
    'smtp://hidden@mail.example.com',
    'smtp://:hidden@mail.example.com',
    'smtp://a:hidden%0d%0aRSET@mail.example.com',
    'smtp://a:hidden%zz@mail.example.com',
    'smtp://a:hidden@mail.example.com:99999',
    'smtp://a:hidden@mail.example.com/path',
    'smtp://a:hidden@mail.example.com#x',
    'smtp://a:hidden@mail.example.com?requireTLS=yes',
    'smtp://a:hidden@mail.example.com?tls.rejectUnauthorized=false',
    'smtp://a:hidden@mail.example.com?ignoreTLS=true',
  ])('is refused by its name, never with its value: %s', (SMTP_URL) => {
    const { error } = smtpConfig.safeParse({ SMTP_URL, MAIL_FROM: 'a@b.co' });
    expect(error?.issues.map(({ path }) => path)).toEqual([['SMTP_URL']]);
    expect(error?.message).not.toContain('hidden');
    const create = () => createMailer({ pool: undefined as never, smtpUrl: SMTP_URL, from: 'a@b.co' });
    expect(create).toThrow(/^SMTP_URL /);
    expect(create).not.toThrow(/hidden/);
  });
});

it.each(['', 'shop', 'Shop <a@b.co>\r\nBcc: e@x.org'])('MAIL_FROM is refused by its name: %j', (MAIL_FROM) => {
  const { error } = smtpConfig.safeParse({ SMTP_URL: 'smtp://127.0.0.1:2525', MAIL_FROM });
  expect(error?.issues.map(({ path }) => path)).toEqual([['MAIL_FROM']]);
});
