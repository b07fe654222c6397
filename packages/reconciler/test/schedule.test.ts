import { realEnvironment, temporalAddress } from '@repo/testing';
import { InvalidInputError, OperatorError } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { type Look, type ReconcileOptions, type Reconciler, runReconcile, type Turn } from '../src/index.ts';
import { createWorker } from '../src/worker.ts';

const env = await realEnvironment();
const { client } = env;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

let count = 0;

/** A reconciler of a test's own, whose stores are a variable. */
function reconcilerFor<More extends object = object>(look: Look<More>) {
  count += 1;
  const defaultTaskQueue = `schedule-test-${count}`;
  const name = `${defaultTaskQueue}-reconciler`;
  const command = 'pnpm shop reconcile';
  const reconciler: Reconciler<More> = { command, defaultTaskQueue, withStores: (use) => use(look) };
  const once = vi.fn(async () => {});
  const handle = client.schedule.getHandle(name);
  return {
    name,
    once,
    handle,
    /** The command. @returns what it prints */
    async says(options: Partial<ReconcileOptions>, more = {} as More): Promise<string> {
      vi.stubEnv('TEMPORAL_ADDRESS', temporalAddress());
      const log = vi.spyOn(console, 'log').mockImplementation(() => {});
      await runReconcile({ reconciler, options: { grace: '15m', ...options }, more, once });
      const lines = log.mock.calls.map(([line]) => String(line));
      log.mockRestore();
      return lines.join('\n');
    },
    worker: () =>
      createWorker({ connection: env.nativeConnection, namespace: 'default', taskQueue: name, client, look }),
    /** The turn that begins when the schedule is told to begin one now. */
    async turn() {
      const had = (await handle.describe()).info.recentActions.length;
      await handle.trigger();
      const begun = async () => (await handle.describe()).info.recentActions.at(had)?.action.workflow.workflowId;
      await expect.poll(begun, { timeout: 10_000 }).toBeDefined();
      return client.workflow.getHandle<() => Promise<Turn>>((await begun()) ?? '');
    },
  };
}

/** Looks at nothing, and finds this. */
const finding = (...found: { words: string; needsAttention: boolean }[]): Look =>
  async function* () {
    yield* found;
  };

describe('a turn', () => {
  it('goes by what the schedule was given last, and says what it did', async () => {
    const asked: unknown[] = [];
    const { says, worker, turn } = reconcilerFor<{ prefix: string }>(async function* ({ graceMs, prefix, ...input }) {
      asked.push({ graceMs, prefix });
      input.onLooked(3);
      input.onLooked(4);
      yield { words: 'one is given back', needsAttention: false };
    });
    await says({ every: '1h', grace: '0s' }, { prefix: 'a' });
    await (await worker()).runUntil(async () => {
      const first = await turn();
      expect(await first.result()).toEqual({
        looked: 7,
        putRight: { count: 1, first: ['one is given back'] },
        needAttention: { count: 0, first: [] },
      });
      await says({ every: '2h', grace: '5m' }, { prefix: 'b' });
      await (await turn()).result();
    });
    expect(asked).toEqual([
      { graceMs: 0, prefix: 'a' },
      { graceMs: 300_000, prefix: 'b' },
    ]);
    await says({ stop: true });
  });

  it('that found something for a person is found with one query; its result stays small', async () => {
    const many = Array.from({ length: 25 }, (_, index) => ({
      words: `${index} ${'x'.repeat(600)}`,
      needsAttention: true,
    }));
    const { says, worker, turn } = reconcilerFor(finding(...many));
    const made = await says({ every: '1h' });
    await (await worker()).runUntil(async () => {
      const taken = await turn();
      const { needAttention } = await taken.result();
      expect(needAttention.count).toBe(25);
      expect(needAttention.first).toHaveLength(20);
      expect(needAttention.first[19]).toMatch(/^19 x{497}…$/);
      const listed = async () => {
        const found: string[] = [];
        const query = /--query '(.*)'$/m.exec(made)?.[1] ?? '';
        for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
        return found;
      };
      await expect.poll(listed, { timeout: 10_000 }).toEqual([taken.workflowId]);
    });
    await says({ stop: true });
  });

  it('whose store does not answer says so in its pending activity, and is tried again', async () => {
    let isDown = true;
    const { says, worker, turn } = reconcilerFor(async function* () {
      if (isDown) throw new OperatorError('The ledger does not answer.', 'Start it.');
      yield { words: 'one is given back', needsAttention: false };
    });
    await says({ every: '1h' });
    await (await worker()).runUntil(async () => {
      const taken = await turn();
      const failure = async () => (await taken.describe()).raw.pendingActivities?.[0]?.lastFailure;
      await expect.poll(failure, { timeout: 10_000 }).toMatchObject({
        message: 'The ledger does not answer. Start it.',
        applicationFailureInfo: { type: 'TurnFailed', nonRetryable: false },
      });
      isDown = false;
      expect((await taken.result()).putRight.count).toBe(1);
    });
    await says({ stop: true });
  });

  it('heartbeats for as long as it looks, also where it finds nothing for long', async () => {
    vi.useFakeTimers();
    const activity = new MockActivityEnvironment();
    let beats = 0;
    activity.on('heartbeat', () => {
      beats += 1;
    });
    let goOn = () => {};
    const { reconcileNow } = createActivities(client, async function* () {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      yield { words: 'one is given back', needsAttention: false };
    });
    const taken: Promise<Turn> = activity.run(reconcileNow, { graceMs: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beats).toBe(6);
    goOn();
    expect((await taken).putRight.count).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beats).toBe(6);
  });

  it('goes on with another worker, where the first is told to stop in the middle of a look that does not end', async () => {
    let looks = 0;
    let givenUp: unknown;
    const { says, worker, turn } = reconcilerFor(async function* ({ client: asked }) {
      looks += 1;
      if (looks === 1) {
        // A call of the client is given up; what listens to nobody is left behind.
        givenUp = await resultOfNobody(asked).catch(({ cause }) => cause);
        await new Promise(() => {});
      }
      yield { words: 'one is given back', needsAttention: false };
    });
    await says({ every: '1h' });
    const first = await worker();
    const ended = first.run();
    const taken = await turn();
    await expect.poll(() => looks, { timeout: 10_000 }).toBe(1);
    first.shutdown();
    await ended;
    await expect.poll(() => String(givenUp)).toMatch(/cancelled/i);
    const { putRight } = await (await worker()).runUntil(taken.result());
    expect(putRight.count).toBe(1);
    expect(looks).toBe(2);
    await says({ stop: true });
  });
});

/** Asks for the result of a workflow that nobody serves. */
async function resultOfNobody(asked: Client): Promise<void> {
  const options = {
    taskQueue: 'nobody',
    workflowId: `nobody-${count}`,
    workflowExecutionTimeout: '2 minutes' as const,
  };
  await (await asked.workflow.start('nobody', options)).result();
}

describe('the schedule', () => {
  it('is made, changed and deleted; asked again, it says that there is none', async () => {
    const { name, says, handle, once } = reconcilerFor(finding());
    const made = await says({ every: '1h' });
    expect(made).toMatch(new RegExp(`^Schedule ${name} is created: every 1h, on a task queue of the same name\\.`));
    expect(made).toMatch(/^Its worker: pnpm shop reconcile --serve$/m);
    expect(JSON.parse(await says({ every: '10m', json: true }))).toEqual({
      scheduleId: name,
      done: 'changed',
      everyMs: 600_000,
      graceMs: 900_000,
      taskQueue: name,
    });
    const { spec, policies, action } = await handle.describe();
    expect(spec.intervals).toMatchObject([{ every: 600_000 }]);
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 60_000 });
    // Where nobody serves it, the next ones begin all the same.
    expect(action).toMatchObject({ workflowExecutionTimeout: 3_600_000 });
    await handle.pause();
    expect(await says({ every: '5m' })).toMatch(/is changed, and paused: every 5m/);
    expect((await handle.describe()).state.paused).toBe(true);
    expect(await says({ stop: true })).toBe(`Schedule ${name} is deleted.`);
    expect(await says({ stop: true })).toBe(`Schedule ${name} is not there.`);
    expect(once).not.toHaveBeenCalled();
    await says({});
    expect(once).toHaveBeenCalledWith(expect.anything(), 900_000);
  });

  it('is that of another task queue, if there is one', async () => {
    const { says } = reconcilerFor(finding());
    vi.stubEnv('TASK_QUEUE', 'schedule-test-other');
    const made = await says({ every: '1h' });
    expect(made).toMatch(/^Schedule schedule-test-other-reconciler is created/);
    expect(made).toMatch(/^Its worker: TASK_QUEUE=schedule-test-other pnpm shop reconcile --serve$/m);
    expect(await says({ stop: true, json: true })).toBe('{"ended":true}');
  });

  it('begins turns by itself, one at a time', async () => {
    const { says, handle } = reconcilerFor(finding());
    await says({ every: '1s' });
    const skipped = async () => (await handle.describe()).info.numActionsSkippedOverlap;
    await expect.poll(skipped, { timeout: 15_000 }).toBeGreaterThan(1);
    const { recentActions } = (await handle.describe()).info;
    await says({ stop: true });
    expect(recentActions).toHaveLength(1);
    await client.workflow.getHandle(recentActions[0]?.action.workflow.workflowId ?? '').terminate();
  });
});

it.each([
  [{ every: '0s' }, 'every: must be at least 1s'],
  [{ every: 'often' }, 'every: must be a duration, as 30s, 15m, 2h or 1d'],
  [{ grace: 'soon' }, 'grace: must be a duration, as 30s, 15m, 2h or 1d'],
])('%j is refused before anything else', (options, message) => {
  const withStores = () => Promise.reject(new Error('stores are opened'));
  const reconciler: Reconciler = { command: 'reconcile', defaultTaskQueue: 'shop', withStores };
  const refused = () =>
    runReconcile({ reconciler, options: { grace: '15m', ...options }, more: {}, once: () => Promise.reject() });
  expect(refused).toThrow(InvalidInputError);
  expect(refused).toThrow(message);
});
