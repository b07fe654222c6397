/** What is to be read. */
export interface MailContent {
  /** One line of 1 to 200 characters. */
  subject: string;
  /** Plain text, up to 100,000 characters. */
  text: string;
  /** A whole document, up to 100,000 characters; made with `html` from templates.ts, which escapes what is put into it. */
  html: string;
}

export interface MailRequest extends MailContent {
  /** The business operation, such as `subscription:s-1:welcome`: 1 to 500 characters. It does not leave the database. */
  key: string;
  /** Business time for the header Date, as `2027-03-20T09:30:00.000Z`. A second call may have another. */
  at: string;
  /** One address, without a name: `ada@example.com`. ASCII, with a domain name; of other scripts, only as `xn--…`. */
  to: string;
  /**
   * What a second call under the key is compared with besides `to`; left out, it is the content. Plain JSON. Name the
   * template and its data here, or a retry that runs after a template was reworded is another mail.
   */
  request?: unknown;
}

export interface SentMail {
  /** The header Message-ID with its angle brackets: made of the key and the sender's domain, always the same. */
  messageId: string;
  /** True if it had been sent before, and was not sent now. */
  replayed: boolean;
}

/** Sends mail. */
export interface Mailer {
  /**
   * Sends a mail that has not been sent under this key; if it has, answers so without a word to the mail server. Two calls
   * at once send once: the second waits for the first. Either ends within `timeoutMs`, and holds nothing after that.
   *
   * The mail is delivered a second time, with the same Message-ID, only if the server took it and our record of that is
   * missing: its 250 was lost, or this process, or the database's connection, between the 250 and the COMMIT.
   * @throws NotificationError see `notificationFailureTypes`; `DatabaseUnavailable` if there is no answer from there.
   */
  send: (request: MailRequest) => Promise<SentMail>;
}
