import { readFileSync } from 'node:fs';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { msNumberToTs } from '@temporalio/common/lib/time.js';
import { describe, expect, it, vi } from 'vitest';
import { failureWords } from '../src/failure-words.ts';
import type { HistoryEvent } from '../src/history-endings.ts';
import { HistorySteps, type PendingActivity } from '../src/history-steps.ts';
import { durationWords, formatStep, wantsColors, words } from '../src/step-lines.ts';
import { followTimeline, type Timeline } from '../src/timeline.ts';
import {
  completed,
  event,
  FakeHistoryServer,
  failedWith,
  finished,
  scheduled,
  started,
  time,
} from './fake-history-server.ts';
import { until } from './programs.ts';

// The longest waits are for conditions, which fail by themselves after 20 s.
vi.setConfig({ testTimeout: 30_000 });

const style = { colors: false, width: 120 };

function linesOf(events: readonly HistoryEvent[], reader = new HistorySteps()): string[] {
  const steps = events.flatMap((one) => reader.read(one));
  return steps.map((step) => formatStep(step, { ...style, startMs: reader.startMs ?? 0 }));
}

function follow(server: FakeHistoryServer): Timeline & { lines: string[] } {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  return { ...followTimeline(server.client, { workflowId: 'trip-1', print, style, appearTimeoutMs: 2000 }), lines };
}

describe('the steps of a history', () => {
  it('tells a recorded trip', () => {
    const file = new URL('./fixtures/trip-history.json', import.meta.url);
    const { events } = historyFromJSON(JSON.parse(readFileSync(file, 'utf8')));
    expect(linesOf(events ?? [])).toEqual([
      '  0.00 s  trip started',
      '  0.08 s  update outcome accepted',
      '  0.11 s  ✓ Book flight BER → LIS                    55 ms',
      '  2.17 s  … Reserve hotel, attempts 1 to 2 failed, last: hotel service does not answer [HotelUnavailable]; tried again',
      '  2.19 s  ✓ Reserve hotel                            2.1 s  (attempt 3)',
      '  2.24 s  ✗ Schedule cab: sold out [SoldOut]',
      '  2.29 s  ↩ Cancel hotel                             14 ms',
      '  2.33 s  child workflow Child started (child-1)',
      '  2.44 s  ✓ child workflow Child                    122 ms',
      '  2.48 s  waits until 2027-02-28 (timer 98 days)',
      '  4.01 s  signal approve received',
      '  4.03 s  waits 300 ms: cooling off',
      '  4.03 s  ✓ update outcome answered',
      '  5.01 s  timer 300 ms (cooling off) is over',
      '  5.04 s  workflow completed',
    ]);
  });

  it.each([
    [{ workflowExecutionCancelRequestedEventAttributes: {} }, '! cancellation requested'],
    [{ workflowExecutionTerminatedEventAttributes: { reason: 'enough' } }, '✗ workflow terminated: enough'],
    [{ workflowExecutionTimedOutEventAttributes: {} }, '✗ workflow not done in time'],
    [{ workflowExecutionCanceledEventAttributes: {} }, 'workflow cancelled'],
    [{ workflowExecutionFailedEventAttributes: { failure: { message: 'no' } } }, '✗ workflow failed: no'],
    [
      { workflowTaskTimedOutEventAttributes: { timeoutType: 2 } },
      '! worker lost; another one takes over, as soon as there is one',
    ],
    [
      { workflowTaskFailedEventAttributes: { cause: 0, failure: { message: 'x is undefined' } } },
      '! workflow code failed, is tried until it is mended: x is undefined',
    ],
  ])('%j', (attributes, words) => {
    expect(linesOf([started(), event(2, 100, attributes)])[1]).toBe(`  0.10 s  ${words}`);
  });

  it('keeps silent about a task that is done again for a message that came in meanwhile, and about a bug told before', () => {
    const quiet = event(2, 1, { workflowTaskFailedEventAttributes: { cause: 1 } });
    const bug = (id: number) => event(id, 2, { workflowTaskFailedEventAttributes: { failure: { message: 'x' } } });
    expect(linesOf([started(), quiet, bug(3), bug(4)])).toHaveLength(2);
  });

  it('tells each failed attempt of a running activity once, with the wait before the next', () => {
    const reader = new HistorySteps();
    linesOf([started(), scheduled(5, 0, 'reserveHotel', 'Reserve hotel in Lisbon')], reader);
    const failing = (attempt: number, more: object) =>
      [{ activityId: 'a5', attempt, lastFailure: { message: 'no answer' }, ...more }] as unknown as PendingActivity[];
    const lastAttemptCompleteTime = time(100);
    const told = (activities: PendingActivity[]) => reader.pending(activities, 0).map((step) => step.text);
    const waiting = failing(2, { state: 1, lastAttemptCompleteTime, nextAttemptScheduleTime: time(600) });
    expect(told(waiting)).toEqual(['Reserve hotel in Lisbon, attempt 1 failed: no answer; next try in 500 ms']);
    expect(told(waiting)).toEqual([]);
    // As the server describes an attempt that is due, with no worker to take it: an interval of decades.
    const due = failing(3, {
      state: 1,
      lastAttemptCompleteTime,
      currentRetryInterval: msNumberToTs(1_795_345_165_000),
    });
    expect(told(due)).toEqual(['Reserve hotel in Lisbon, attempt 2 failed: no answer; waits for a worker']);
    expect(told(failing(5, { state: 2 }))).toEqual([
      'Reserve hotel in Lisbon, attempts 3 to 4 failed, last: no answer; tries again',
    ]);
    const startedEvent = event(6, 700, {
      activityTaskStartedEventAttributes: { scheduledEventId: 5, attempt: 5, lastFailure: { message: 'no answer' } },
    });
    expect(linesOf([startedEvent, finished(7, 750, 5)], reader)).toEqual([
      '  0.75 s  ✓ Reserve hotel in Lisbon                 750 ms  (attempt 5)',
    ]);
    expect(reader.hasOpenActivities).toBe(false);
  });

  it('takes undoing for compensation, by the type or by the summary', () => {
    const marks = (type: string, summary?: string) =>
      linesOf([started(), scheduled(2, 0, type, summary), finished(3, 1, 2)])[1]?.charAt(10);
    expect(marks('cancelHotel')).toBe('↩');
    expect(marks('refund')).toBe('↩');
    expect(marks('release', 'Undo the reservation')).toBe('↩');
    expect(marks('cancellationTerms')).toBe('✓');
  });
});

describe('a failure in one line', () => {
  it('takes the deepest cause that has a type of its own', () => {
    const socket = { message: 'connect ECONNREFUSED', applicationFailureInfo: { type: 'Error' } };
    const mapped = {
      message: 'hotel does\nnot answer',
      applicationFailureInfo: { type: 'HotelUnavailable' },
      cause: socket,
    };
    expect(failureWords({ message: 'Activity task failed', activityFailureInfo: {}, cause: mapped })).toBe(
      'hotel does not answer [HotelUnavailable]',
    );
    expect(failureWords({ message: 'Activity task failed', activityFailureInfo: {}, cause: socket })).toBe(
      'connect ECONNREFUSED',
    );
    expect(failureWords({ timeoutFailureInfo: { timeoutType: 3 }, cause: mapped })).toBe(
      'not done in time; last: hotel does not answer [HotelUnavailable]',
    );
    expect(failureWords({ timeoutFailureInfo: { timeoutType: 1 } })).toBe('no answer in time');
  });

  it('cannot write to the terminal what is not text, and is cut to its width', () => {
    const evil = failedWith(3, 1, 2, { message: `\u001b[2J\u202e\u0007gone ${'x'.repeat(300)}` });
    const [, line = ''] = linesOf([started(), scheduled(2, 0, 'pay'), evil]);
    expect(line).toMatch(/^ {2}0\.00 s {2}✗ Pay: \[2Jgone x+…$/);
    expect(line).toHaveLength(style.width);
  });
});

describe('words and times', () => {
  it('names and durations', () => {
    expect(['bookFlight', 'book_flight', 'sendHTTPMail', 'pay'].map(words)).toEqual([
      'Book flight',
      'Book flight',
      'Send HTTP mail',
      'Pay',
    ]);
    expect([38, 2000, 9960, 59_600, 125_000, 3_599_000, 12_000_000, 98 * 86_400_000].map(durationWords)).toEqual([
      '38 ms',
      '2 s',
      '10 s',
      '1 min',
      '2 min 5 s',
      '1 h',
      '3 h 20 min',
      '98 days',
    ]);
  });

  it('shows long times as clock and days, and colours only to a terminal', () => {
    const at = (ms: number) => formatStep({ atMs: ms, kind: 'plain', text: '' }, { startMs: 0, ...style }).trim();
    expect([at(-5), at(3_725_000), at(98 * 86_400_000 + 3_600_000)]).toEqual(['0.00 s', '01:02:05', '98d 01:00']);
    const terminal = { isTTY: true } as NodeJS.WriteStream;
    expect([wantsColors(terminal, {}), wantsColors(terminal, { NO_COLOR: '1' })]).toEqual([true, false]);
    expect(wantsColors({ isTTY: false } as NodeJS.WriteStream, {})).toBe(false);
  });
});

describe('following', () => {
  it('waits for a workflow that is not there yet, prints each step as it comes, and ends with it', async () => {
    const server = new FakeHistoryServer();
    const timeline = follow(server);
    await until(() => server.calls > 1, 'two calls');
    server.add(started(), scheduled(2, 10, 'bookFlight'));
    await until(() => timeline.lines.length === 1, 'the start');
    server.add(finished(3, 20, 2), completed(4, 30));
    expect(await timeline.done).toBe('closed');
    expect(timeline.lines).toEqual(
      linesOf([started(), scheduled(2, 10, 'bookFlight'), finished(3, 20, 2), completed(4, 30)]),
    );
  });

  it('says once that the server is away and once that it is back, and leaves out and repeats nothing', async () => {
    const server = new FakeHistoryServer();
    server.add(started(), scheduled(2, 10, 'bookFlight'));
    const timeline = follow(server);
    await until(() => timeline.lines.length === 1, 'the start');
    server.away = true;
    await until(() => timeline.lines.length === 2, 'the message');
    const calls = server.calls;
    await until(() => server.calls > calls + 3, 'more calls in vain');
    server.add(finished(3, 20, 2));
    server.away = false;
    await until(() => timeline.lines.length === 4, 'the next step');
    server.add(completed(4, 30));
    expect(await timeline.done).toBe('closed');
    expect(timeline.lines.map((line) => line.replace(/^.*?\S {2}(?=\S)/, ''))).toEqual([
      'book trip started',
      '! Temporal is not reachable; the workflow goes on when it is back',
      '! Temporal is reachable again',
      expect.stringContaining('✓ Book flight'),
      'workflow completed',
    ]);
  });

  it('goes on with the run that continues this one, on the same clock', async () => {
    const server = new FakeHistoryServer();
    server.add(
      started(),
      event(2, 500, { workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'run-2' } }),
    );
    server.currentRun = 'run-2';
    server.add(started(1, 600), completed(2, 700));
    const timeline = follow(server);
    // It began while run-2 was the current one; only whoever began earlier saw run-1.
    expect(await timeline.done).toBe('closed');
    const fromFirst: string[] = [];
    const print = (line: string) => void fromFirst.push(line);
    await followTimeline(server.client, { workflowId: 'trip-1', runId: 'run-1', print, style }).done;
    expect(fromFirst.map((line) => line.trim())).toEqual([
      '0.00 s  book trip started',
      '0.50 s  continues as new',
      '0.60 s  book trip started',
      '0.70 s  workflow completed',
    ]);
  });

  it('follows a reset without telling again what the new run repeats', async () => {
    const server = new FakeHistoryServer();
    server.add(started(), scheduled(2, 10, 'pay'), finished(3, 20, 2));
    const timeline = follow(server);
    await until(() => timeline.lines.length === 2, 'two lines');
    server.currentRun = 'run-2';
    const resetPoint = event(4, 30, { workflowTaskFailedEventAttributes: { cause: 20, newRunId: 'run-2' } });
    server.add(started(), scheduled(2, 10, 'pay'), finished(3, 20, 2), resetPoint, completed(5, 40));
    server.runs.set('run-1', [
      ...(server.runs.get('run-1') ?? []),
      event(4, 30, { workflowExecutionTerminatedEventAttributes: { reason: 'reset' } }),
    ]);
    server.add();
    expect(await timeline.done).toBe('closed');
    expect(timeline.lines.slice(2).map((line) => line.trim())).toEqual([
      '0.03 s  ✗ workflow terminated: reset',
      '0.03 s  ! reset: goes on from here as a new run',
      '0.04 s  workflow completed',
    ]);
  });

  it('stops on request in the middle of a call, and gives up on a workflow that nobody knows', async () => {
    const server = new FakeHistoryServer();
    server.add(started());
    const timeline = follow(server);
    await until(() => timeline.lines.length === 1, 'the start');
    await timeline.stop();
    expect(await timeline.done).toBe('stopped');
    const unknown = follow(new FakeHistoryServer());
    expect(await unknown.done).toBe('lost');
    expect(unknown.lines).toEqual([expect.stringContaining('this timeline ends here: 5 NOT_FOUND')]);
  });
});
