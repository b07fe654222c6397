import { setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import * as contract from '../contract.ts';
import { foresee } from './changes.ts';
import { begin, goTo, type Life, mail } from './life.ts';
import { problems, refusal } from './refusal.ts';
import { activities, boundary } from './services.ts';

const { failureTypes } = contract;

/** What a run is started with: by whoever subscribes, or by the run before it. */
export type RunInput = contract.SubscriptionInput & { carried?: Omit<Life, 'request'> };

/** @throws ApplicationFailure `InvalidSubscription`, not retryable, that names each field and what is wrong with it. */
export function accept(input: RunInput): Life {
  const parsed = contract.inTheWorkflow.subscription.safeParse(input);
  const { workflowId, startTime, continuedFromExecutionRunId } = workflowInfo();
  if (!parsed.success) throw refuse(problems(parsed.error));
  const { data: request } = parsed;
  // Under another workflow id, two subscriptions of this id would share its keys.
  const expected = contract.subscriptionWorkflowId(request.subscriptionId);
  if (workflowId !== expected) throw refuse(`subscriptionId: the workflow id of this subscription must be ${expected}`);
  const { carried } = input;
  if (carried && continuedFromExecutionRunId !== undefined) return { ...carried, request };
  return begin(request, startTime.toISOString());
}

/** Whoever asks in the same breath as for the start gets this answer, and not that there is none. */
function refuse(reason: string) {
  const refused = refusal(failureTypes.invalid, reason);
  const validator = () => {
    throw refused;
  };
  setHandler<contract.SubscriptionState, [contract.SubscriptionInput], typeof contract.subscribedUpdate>(
    contract.subscribedUpdate,
    validator,
    { validator },
  );
  return refused;
}

/** @throws ApplicationFailure `SubscriptionMismatch`, or `InvalidSubscription` */
export function refuseOtherDetails({ request }: Life, input: contract.SubscriptionInput | undefined): void {
  if (input === undefined) return;
  const other = contract.inTheWorkflow.subscription.safeParse(input);
  if (!other.success) throw refusal(failureTypes.invalid, problems(other.error));
  const differing = contract.differingFields(request, other.data);
  if (differing.length === 0) return;
  const message = `${differing.join(', ')}: subscription ${request.subscriptionId} exists with other details`;
  throw refusal(failureTypes.mismatch, message);
}

/**
 * Finds out who the customer is and what the plan says, and begins with the trial.
 * @returns false if it cannot stand; `reason` says why
 */
export async function open(life: Life): Promise<boolean> {
  const { customer } = life.request;
  const summary = `Looking up ${customer} and the plan`;
  const terms = await activities.admit.executeWithOptions({ summary }, [
    { ...life.request, startedAt: life.startedAt },
  ]);
  if ('refused' in terms) {
    life.reason = terms.refused;
    return false;
  }
  const { plan, timeZone } = terms;
  upsertSearchAttributes([{ key: contract.planAttribute, value: plan.name }]);
  const { startedAt } = life;
  const hasTrial = plan.trial !== 'none';
  const { at } =
    plan.trial === 'none'
      ? { at: startedAt }
      : await boundary('the trial ends', { anchor: startedAt, timeZone, span: plan.trial, count: 1 });
  life.terms = terms;
  life.anchor = { at, number: 1 };
  life.period = { number: 0, startsAt: startedAt, endsAt: at, price: 0, declined: 0, isPaid: false };
  if (hasTrial) life.trialEndsAt = at;
  await foresee(life);
  mail(life, 'welcome', 'welcome', hasTrial ? { trialEndsAt: at } : {});
  goTo(life, hasTrial ? 'trial' : 'active', `Begun on ${startedAt}`);
  return true;
}
