/** Why a mail was not sent. Programs branch on these, never on a message. */
export const notificationFailureTypes = {
  /** A field breaks a rule: an address, a control character, a size. `details` name the `field`. Nothing was written. */
  invalidMail: 'InvalidMail',
  /** Another mail was asked for under this key. Nothing was sent. */
  mismatch: 'MailMismatch',
  /** The mail server refused the recipient or the mail for good (5xx). It is kept, and is the answer for ever. */
  refused: 'MailRefused',
  /**
   * No mail server, or one that does not take the mail now (no connection, 4xx, no answer in time, wrong password). It is
   * tried again. If it was the answer to the mail that was lost, the next try is a second delivery.
   */
  mailServerUnavailable: 'MailServerUnavailable',
  /** No answer from the database. It is tried again. If it was the record of the mail that was lost, as above. */
  databaseUnavailable: 'DatabaseUnavailable',
} as const;

export type NotificationFailureType = (typeof notificationFailureTypes)[keyof typeof notificationFailureTypes];
