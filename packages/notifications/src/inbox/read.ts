import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';

/** One delivery. A mail that was delivered twice is two of them. */
export interface Delivery {
  /** Whom the mail server was told to give it to, whatever the mail itself says. */
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string;
  /** With its angle brackets. */
  messageId: string;
  /** The header Date, as `2027-03-20T09:30:00.000Z`. The header counts seconds. */
  date: string;
  /** 1, or 2 for the second delivery with this Message-ID, and so on. */
  delivery: number;
  /** The file, with its folder. */
  file: string;
}

/** Every delivery in the folder of an inbox, oldest first; also while its server runs, or is gone. None if there is no such folder. */
export async function readInbox(folder: string): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  const seen = new Map<string, number>();
  for (const name of await mailFiles(folder)) {
    const file = join(folder, name);
    const mail = await simpleParser(await readFile(file));
    const messageId = mail.messageId ?? '';
    const delivery = (seen.get(messageId) ?? 0) + 1;
    seen.set(messageId, delivery);
    deliveries.push({
      // Written by the server above all that the sender wrote, and the first one counts.
      to: firstLine(mail.headerLines, 'delivered-to'),
      from: mail.from?.text ?? '',
      subject: mail.subject ?? '',
      text: mail.text ?? '',
      html: mail.html || '',
      messageId,
      date: mail.date?.toISOString() ?? '',
      delivery,
      file,
    });
  }
  return deliveries;
}

/** The names of whole mails, oldest first. */
export async function mailFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => /^\d{8}\.eml$/.test(name)).sort();
}

function firstLine(lines: readonly { key: string; line: string }[], key: string): string {
  const found = lines.find((each) => each.key === key)?.line ?? '';
  return found.slice(found.indexOf(':') + 1).trim();
}
