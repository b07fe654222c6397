import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { complaints } from '../src/every-activity.ts';
import { type Repetition, timeSkippingEnvironment, workflowBundle } from '../src/index.ts';
import type { inTurn } from './fixtures/workflows.ts';

let env: TestWorkflowEnvironment;
/** What has happened in the store, newest last. */
let store: string[];
const taskQueue = 'run-each';

beforeAll(async () => {
  env = await timeSkippingEnvironment();
});
beforeEach(() => {
  store = [];
});

const write = async (entry: string) => {
  await nextTurn();
  store.push(entry);
};

type Order = { id: string };

/** One keyed and well made, and blunders of several kinds. */
const activities = {
  async good({ id }: Order) {
    if (!store.includes(`good ${id}`)) store.push(`good ${id}`);
    return { id };
  },
  async doubles({ id }: Order) {
    await write(`doubles ${id}`);
    return { id };
  },
  async answersAnew({ id }: Order) {
    return { id, at: randomUUID() };
  },
  async checksThenActs({ id }: Order) {
    if (!store.includes(`checked ${id}`)) await write(`checked ${id}`);
    return { id };
  },
  async refusesTheSecond({ id }: Order) {
    if (store.includes(`once ${id}`)) throw ApplicationFailure.nonRetryable('there already', 'Exists');
    store.push(`once ${id}`);
    return { id };
  },
  async changesItsArguments(order: Order) {
    order.id += ' changed';
    return { ...order };
  },
  async refuses() {
    throw ApplicationFailure.nonRetryable(`sold out ${randomUUID()}`, 'SoldOut');
  },
  async isDownAtFirst({ id }: Order) {
    store.push('tried');
    if (store.length < 3) throw ApplicationFailure.retryable('down', 'Down');
    return { id };
  },
  async saysWhichAttempt() {
    store.push(`attempt ${activityInfo().attempt}`);
  },
  async undo({ id }: Order) {
    store = store.filter((entry) => !entry.endsWith(id));
    return { id };
  },
  async undoWithTombstone({ id }: Order) {
    store = [...store.filter((entry) => !entry.endsWith(id)), `cancelled ${id}`];
    return { id };
  },
  async refusesTheCancelled({ id }: Order) {
    if (store.includes(`cancelled ${id}`)) throw ApplicationFailure.nonRetryable('cancelled', 'Cancelled');
    store.push(`done ${id}`);
    return { id };
  },
};

/** Runs a workflow with those activities, of which `names` are listed, and tells what there is to complain about. */
function run(repetition: Repetition, names: string[], undo: string[] = [], listed = [...names, ...undo]) {
  const present = Object.entries(activities).filter(([name]) => [...names, ...undo].includes(name));
  const execute = () =>
    env.client.workflow.execute<typeof inTurn>('inTurn', { workflowId: 'order', taskQueue, args: [names, undo] });
  return complaints<Record<string, unknown>>(
    {
      activities: Object.fromEntries(listed.map((name) => [name, {}])),
      createWorker: (activity) =>
        Worker.create({
          connection: env.nativeConnection,
          taskQueue,
          workflowBundle: workflowBundle(),
          activities: Object.fromEntries(present),
          interceptors: { activity },
        }),
      run: execute,
      runUndone: execute,
    },
    repetition,
  );
}

describe.each(['twice', 'atOnce', 'late'] as const)('activities that run %s', (repetition) => {
  it('and are well made give nothing to complain about', async () => {
    const names = ['good', 'changesItsArguments', 'isDownAtFirst', 'refuses'];
    expect(await run(repetition, names)).toEqual([]);
    expect(store.filter((entry) => entry !== 'tried')).toEqual(['good order']);
  });

  it('and are not are complained about: other answers, not listed, never run; two effects are for the stores to tell', async () => {
    expect(await run(repetition, ['doubles', 'answersAnew'], [], ['doubles', 'undo'])).toEqual([
      'answersAnew is an activity of this worker and is not listed',
      'undo never ran to an answer more than once',
      expect.stringMatching(/^answersAnew \(order\): answered \{.*\}, and when it ran again: answered \{.*\}$/),
    ]);
    expect(store).toEqual(['doubles order', 'doubles order']);
  });
});

it.each([
  ['twice', 1],
  ['atOnce', 2],
] as const)('an activity that checks and then acts, run %s, has %i effects', async (repetition, effects) => {
  await run(repetition, ['checksThenActs']);
  expect(store).toEqual(Array(effects).fill('checked order'));
});

it('a zombie runs after the newer attempt, and is the attempt that it was', async () => {
  expect(await run('late', ['saysWhichAttempt'])).toEqual([]);
  expect(store).toEqual(['attempt 2', 'attempt 1']);
});

it('a refusal of what was done already is complained about, but not of a zombie', async () => {
  expect(await run('twice', ['refusesTheSecond'])).toEqual([
    'refusesTheSecond (order): answered {"id":"order"}, and when it ran again: refused with Exists: there already',
  ]);
  store = [];
  expect(await run('late', ['refusesTheSecond'])).toEqual([]);
  expect(store).toEqual(['once order']);
});

describe('a call that arrives after it was undone', () => {
  it('is refused by a store that keeps a tombstone', async () => {
    const repetition = { late: 'refusesTheCancelled', after: 'undoWithTombstone' };
    expect(await run(repetition, ['refusesTheCancelled'], ['undoWithTombstone'])).toEqual([]);
    expect(store).toEqual(['cancelled order']);
  });

  it('has its effect where there is none, for the stores to tell', async () => {
    expect(await run({ late: 'good', after: 'undo' }, ['good'], ['undo'])).toEqual([]);
    expect(store).toEqual(['good order']);
  });

  it('is complained about if nothing undid it', async () => {
    expect(await run({ late: 'good', after: 'undo' }, ['good'], [], ['good'])).toEqual([
      'good never ran to an answer more than once',
    ]);
  });
});
