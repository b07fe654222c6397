import { type NotificationFailureType, notificationFailureTypes } from './failure-types.ts';

/** A mail that was not sent, or of which nobody can say that it was. It says neither the key nor a password. */
export class NotificationError extends Error {
  override name = 'NotificationError';
  /** One of `notificationFailureTypes`. */
  readonly type: NotificationFailureType;
  /** Plain JSON for whoever has to explain it, such as the field, or the code that the mail server answered. */
  readonly details: Record<string, unknown>;
  constructor(
    type: NotificationFailureType,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.type = type;
    this.details = details;
  }
  /** Whether the same call can succeed later. */
  get retryable(): boolean {
    return this.type === notificationFailureTypes.mailServerUnavailable;
  }
}

export const invalid = (field: string, message: string): NotificationError =>
  new NotificationError(notificationFailureTypes.invalidMail, `${field}: ${message}`, { field });
