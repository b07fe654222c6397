import { expect, it } from 'vitest';
import { OperatorError } from '../src/operator-error.ts';
import { errorLines } from '../src/start-words.ts';

const firstLine = (error: unknown) => errorLines(error, false, '/logs')[0];

it('an error is told with what it comes of, and nothing twice', () => {
  const refused = new Error('return: must be at most 3 days after departure');
  expect(firstLine(new Error('Workflow Update failed', { cause: refused }))).toBe(
    'Workflow Update failed: return: must be at most 3 days after departure',
  );
  const step = new Error('the hotel service: it is down', { cause: new Error('it is down', { cause: refused }) });
  expect(firstLine(new Error('Activity failed', { cause: step }))).toBe(
    'Activity failed: the hotel service: it is down: return: must be at most 3 days after departure',
  );
  expect(firstLine('a text')).toBe('a text');
});

it("an operator's mistake is told with the next step alone", () => {
  const cause = new Error('ENOENT');
  expect(errorLines(new OperatorError('No Go.', 'Install it.', { cause }), false, '/logs')).toEqual([
    'No Go.',
    'Install it.',
  ]);
});
