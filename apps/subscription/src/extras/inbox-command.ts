import { print } from '@repo/dev-stack/commands';
import { type Arrival, readAllMail } from './mail-folders.ts';

/** The mails at the servers that this app has brought along, oldest first; a second delivery is there a second time. */
export async function inboxCommand({ json, to, full }: { json?: boolean; to?: string; full?: boolean }): Promise<void> {
  const mails = (await readAllMail()).filter((mail) => to === undefined || mail.to === to);
  if (!json && mails.length === 0) {
    console.log('No mails. The mail server of your own (SMTP_URL), if there is one, is not looked into.');
  }
  for (const mail of mails) print(json, mail, () => (full ? fullMail(mail) : mailLine(mail)));
}

export function mailLine({ arrivedAt, to, subject, delivery }: Arrival): string {
  const again = delivery > 1 ? `  (delivery ${delivery} of the same mail)` : '';
  return `${arrivedAt.slice(0, 19).replace('T', ' ')}  ${to.padEnd(32)}  ${subject}${again}`;
}

const fullMail = (mail: Arrival): string =>
  [
    mailLine(mail),
    `  ${mail.messageId}`,
    ...mail.text
      .trimEnd()
      .split('\n')
      .map((text) => `  ${text}`.trimEnd()),
    '',
  ].join('\n');
