import { expect, test } from 'vitest';
import { explained } from '../src/app-program.ts';
import { OperatorError } from '../src/operator-error.ts';

/** As the client throws it: the answer of the server is the cause. */
const failed = (code: number, message: string) =>
  new Error('Workflow Update failed', { cause: Object.assign(new Error(`${code} ${message}`), { code }) });

test.each([
  [14, 'UNAVAILABLE: connection refused', 'Temporal does not answer.'],
  [4, 'DEADLINE_EXCEEDED', 'Temporal does not answer.'],
  [
    9,
    'FAILED_PRECONDITION: Unable to perform workflow execution update due to Workflow Task in failed state.',
    'The workflow cannot answer: its last task has failed.',
  ],
])('gRPC status %i (%s) is told in one message with the next step', (code, message, says) => {
  const error = explained(failed(code, message));
  expect(error).toBeInstanceOf(OperatorError);
  expect((error as OperatorError).message).toBe(says);
  expect((error as OperatorError).nextStep).toMatch(/run this again: it does nothing twice\.$/);
});

test.each([failed(9, 'FAILED_PRECONDITION: something else'), failed(3, 'INVALID_ARGUMENT'), new Error('a bug')])(
  'anything else stays what it is: %s',
  (error) => expect(explained(error)).toBe(error),
);
