import { ApplicationFailure, type defineUpdate, setHandler } from '@temporalio/workflow';

/** A no for good, to whoever asked. */
export const refusal = (type: string, message: string): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true });

const most = 10;

/** What zod has found, each with the name of its field; not more of it than somebody reads. */
export function problems({ issues }: { issues: { path: PropertyKey[]; message: string }[] }): string {
  const found = issues.slice(0, most).map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  return [...found, ...(issues.length > most ? [`and ${issues.length - most} more`] : [])].join('; ');
}

type Update<Answer, Args extends unknown[]> = ReturnType<typeof defineUpdate<Answer, Args>>;

/** Whoever asks for the outcome in the same breath as for the start gets this answer, and not that there is none. */
export function refuseAll<Answer, Args extends unknown[]>(
  update: Update<Answer, Args>,
  type: string,
  message: string,
): ApplicationFailure {
  const refused = refusal(type, message);
  const refuse = (): never => {
    throw refused;
  };
  setHandler<Answer, Args, Update<Answer, Args>>(update, refuse, { validator: refuse });
  return refused;
}
