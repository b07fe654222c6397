import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isAddress } from './address.ts';
import { invalid } from './errors.ts';
import type { MailRequest } from './types.ts';

const text = (longest: number, control: RegExp) =>
  z
    .string('must be text')
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .regex(/^\P{Cs}*$/u, 'must not contain half of a surrogate pair')
    .refine((value) => !control.test(value), 'must not contain control characters');

/** A line break in a header would begin another header, and U+2028 and U+2029 are line breaks to some. */
const line = (longest: number) => text(longest, /[\p{Cc}\p{Zl}\p{Zp}]/u);
/** Of the control characters, a tab and line breaks. */
const body = text(100_000, /[^\P{Cc}\t\n\r]/u);

const mailRequest = z.object({
  key: line(500),
  at: z.string('must be text').refine(isInstant, 'must be a time in UTC such as 2027-03-20T09:30:00.000Z'),
  to: z.string('must be text').refine(isAddress, 'must be one address such as ada@example.com, in ASCII'),
  subject: line(200).regex(/\S/, 'must not be blank'),
  text: body,
  html: body,
});

/** @throws NotificationError `invalidMail` with the first field that is wrong, never with its value */
export function accept(request: MailRequest): { mail: z.output<typeof mailRequest>; hash: string } {
  const parsed = mailRequest.safeParse(request);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(issue?.path.join('.') || 'mail', issue?.message ?? 'is not right');
  }
  const mail = parsed.data;
  const { to, subject, text, html } = mail;
  return { mail, hash: hashOf([to, request.request ?? { subject, text, html }]) };
}

/** SHA-256 of JSON with sorted keys. */
function hashOf(request: unknown): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  try {
    return sha256(JSON.stringify(request, sorted));
  } catch {
    throw invalid('request', 'must be plain JSON');
  }
}

/** The key itself stays here: it may name a customer, and hold what no header can. */
export const messageIdOf = (key: string, domain: string): string => `<${sha256(key).slice(0, 40)}@${domain}>`;

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex');

/** In years of four digits: a Date header has no others. */
function isInstant(value: string): boolean {
  const isForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) && !value.startsWith('0000');
  // Written again, for 30 February is read as 2 March.
  return isForm && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString() === value;
}
