import type { ProtoFailure } from '@temporalio/client';
import { decodeTimeoutType } from '@temporalio/common';
import { oneLine } from './step-lines.ts';

const timeouts = {
  START_TO_CLOSE: 'no answer in time',
  SCHEDULE_TO_CLOSE: 'not done in time',
  SCHEDULE_TO_START: 'no worker took it in time',
  HEARTBEAT: 'no heartbeat in time',
};

/** The names of JavaScript's own errors: as a failure's type they say nothing. */
const namelessTypes = /^(|Error|TypeError|RangeError|ReferenceError|SyntaxError|AggregateError|EvalError|URIError)$/;

/**
 * What went wrong, in one line, with the failure's type in brackets.
 *
 * It takes the deepest cause that someone gave a type of its own (`ApplicationFailure.create({ type })`): what is
 * above it only wraps it, what is below it (a socket's error) says less than the words chosen for it.
 */
export function failureWords(failure: ProtoFailure | null | undefined): string {
  const chain: ProtoFailure[] = [];
  for (let cause = failure; cause; cause = cause.cause) chain.push(cause);
  const deepest = chain.at(-1);
  if (!deepest) return 'no reason given';
  const named = chain.findLast((one) => !namelessTypes.test(one.applicationFailureInfo?.type ?? ''));
  const timeout = chain.find((one) => one.timeoutFailureInfo);
  const timeoutType = decodeTimeoutType(timeout?.timeoutFailureInfo?.timeoutType);
  if (timeout && timeoutType) {
    const last = named ?? (deepest === timeout ? undefined : deepest);
    return last ? `${timeouts[timeoutType]}; last: ${told(last)}` : timeouts[timeoutType];
  }
  return told(named ?? deepest);
}

function told(failure: ProtoFailure): string {
  const type = failure.applicationFailureInfo?.type ?? '';
  const message = oneLine(failure.message ?? '');
  if (failure.canceledFailureInfo) return message || 'cancelled';
  if (failure.terminatedFailureInfo) return message || 'terminated';
  if (namelessTypes.test(type)) return message || type || 'no reason given';
  return message ? `${message} [${oneLine(type)}]` : oneLine(type);
}
