import { ApplicationFailure } from '@temporalio/workflow';

/** A no for good, to whoever asked. */
export const refusal = (type: string, message: string): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true });

/** What zod has found, each with the name of its field. */
export const problems = (error: { issues: { path: PropertyKey[]; message: string }[] }): string =>
  error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; ');
