import { DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { expect, it } from 'vitest';
import { activityFailure } from '../src/failure.ts';

/** Bytes of the last failure that Temporal keeps of a pending activity: `limit.mutableStateActivityFailureSizeLimit.error`. */
const kept = 4 * 1024;

/** Ten frames deep, in a folder as deep as a build agent's. */
function error(message: string, cause?: Error): Error {
  const made = new TypeError(message, cause && { cause });
  const folder =
    '/home/agent/_work/7/s/acme-temporal-apps/node_modules/.pnpm/pg-protocol@1.14.0/node_modules/pg-protocol';
  const frames = Array.from(
    { length: 10 },
    (_, line) => `    at Parser.handlePacket (${folder}/dist/parser.js:${line}:9)`,
  );
  made.stack = [`TypeError: ${message}`, ...frames].join('\n');
  return made;
}

const told = (failure: Error) => new DefaultFailureConverter().errorToFailure(failure, defaultPayloadConverter);

it('fits into what Temporal keeps of it, with its type, its causes and where they were thrown', () => {
  const cause = error('No connection', error('Refused:\nby 127.0.0.1', error('ECONNREFUSED')));
  const failure = told(activityFailure({ type: 'Unavailable', message: 'The database does not answer', cause }));
  expect(JSON.stringify(failure).length).toBeLessThan(kept);
  expect(failure).toMatchObject({
    message: 'The database does not answer',
    applicationFailureInfo: { type: 'Unavailable' },
    cause: {
      message: 'No connection',
      stackTrace: expect.stringContaining('parser.js:2:9'),
      cause: { message: 'Refused:\nby 127.0.0.1', cause: { message: 'ECONNREFUSED' } },
    },
  });
});

it('is larger without being cut', () => {
  const cause = error('No connection', error('Refused', error('ECONNREFUSED')));
  expect(JSON.stringify(told(cause)).length).toBeGreaterThan(kept);
});

it('does without a cause', () => {
  expect(activityFailure({ type: 'NotFound', message: 'No such thing', nonRetryable: true })).toMatchObject({
    type: 'NotFound',
    nonRetryable: true,
    cause: undefined,
  });
});
