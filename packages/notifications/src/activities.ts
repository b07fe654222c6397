import { activityFailure } from '@repo/activity-options/failure';
import { DatabaseUnavailable } from '@repo/operations';
import { ApplicationFailureCategory } from '@temporalio/common';
import { invalid, NotificationError } from './errors.ts';
import { notificationFailureTypes as failureTypes } from './failure-types.ts';
import type { Template } from './templates.ts';
import type { Mailer, SentMail } from './types.ts';

type Templates = Record<string, Template>;

/** One of the templates, by its name, with the data that it takes. */
export type SendMailRequest<All extends Templates> = {
  [Name in keyof All & string]: {
    key: string;
    /** Business time, as `2027-03-20T09:30:00.000Z`: the mail's Date. */
    at: string;
    to: string;
    template: Name;
    data: Parameters<All[Name]>[0];
  };
}[keyof All & string];

/**
 * Mail as an activity, to be spread into those of an app: `sendMail({ key, at, to, template, data })` writes it from the
 * template and sends it as `Mailer.send` promises. It may run more than once: the second time answers the same, also if
 * the template has been reworded in between.
 */
export function createNotificationActivities<All extends Templates>(mailer: Mailer, templates: All) {
  return {
    sendMail: async (request: SendMailRequest<All>): Promise<Pick<SentMail, 'messageId'>> => {
      try {
        const { key, at, to, template, data } = request;
        const write = Object.hasOwn(templates, template) ? templates[template] : undefined;
        if (!write) throw invalid('template', `must be one of ${Object.keys(templates).join(', ')}`);
        const { subject, text, html } = write(data);
        const content = { subject, text, html: html.toString() };
        // Without `replayed`: what travels must not depend on how often the activity ran.
        const { messageId } = await mailer.send({ key, at, to, ...content, request: { template, data } });
        return { messageId };
      } catch (error) {
        throw toNotificationFailure(error);
      }
    },
  };
}

export type NotificationActivities<All extends Templates> = ReturnType<typeof createNotificationActivities<All>>;

/**
 * An `ApplicationFailure` with one of `notificationFailureTypes`: a no is not retried, no answer is. Any other error is
 * given back as it is: a bug, and retried until it is mended. For an app's own activities as well.
 */
export function toNotificationFailure(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable) {
    return activityFailure({ type: failureTypes.databaseUnavailable, message: error.message, cause: error });
  }
  if (!(error instanceof NotificationError)) return error;
  const { type, message, details, retryable } = error;
  return activityFailure({
    type,
    message,
    details: [details],
    nonRetryable: !retryable,
    cause: error,
    // A refusal is an answer: it need not fill the worker's log.
    category: retryable ? undefined : ApplicationFailureCategory.BENIGN,
  });
}
