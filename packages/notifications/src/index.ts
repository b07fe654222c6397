export {
  createNotificationActivities,
  type NotificationActivities,
  type SendMailRequest,
  toNotificationFailure,
} from './activities.ts';
export { type SmtpConfig, smtpConfig } from './config.ts';
export { NotificationError } from './errors.ts';
export { type NotificationFailureType, notificationFailureTypes } from './failure-types.ts';
export { createMailer, type MailerOptions } from './mailer.ts';
export { notificationsMigrations } from './migrations.ts';
export { Html, type HtmlValue, html, type Template } from './templates.ts';
export type { MailContent, Mailer, MailRequest, SentMail } from './types.ts';
