import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvalidInputError } from '@repo/worker-kit';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HistoryJson } from '../src/command-words.ts';
import { timeSkippingEnvironment } from '../src/index.ts';
import { quietRuntime } from '../src/quiet-runtime.ts';
import { replayCommand } from '../src/replay-command.ts';
import { whereTheyPart } from '../src/where-they-part.ts';
import type { order } from './fixtures/apps/order/src/workflows.ts';

const root = fileURLToPath(new URL('./fixtures', import.meta.url));
const workflowsPath = join(root, 'apps/order/src/workflows.ts');
const notes = fileURLToPath(new URL('../src/code-notes.ts', import.meta.url));
let folder: string;
let file: string;
let history: HistoryJson;
let code: string;

beforeAll(async () => {
  // Each planted change would be logged at length.
  quietRuntime({ silent: true });
  const logger = new DefaultLogger('ERROR');
  const [env, bundle] = await Promise.all([
    timeSkippingEnvironment(),
    bundleWorkflowCode({ workflowsPath, logger, workflowInterceptorModules: [notes] }),
  ]);
  code = bundle.code;
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: 'orders',
    workflowsPath,
    activities: { price: async () => {}, reserve: async () => {}, ship: async () => {} },
  });
  const handle = await env.client.workflow.start<typeof order>('order', { workflowId: 'order:1', taskQueue: 'orders' });
  await worker.runUntil(handle.result());
  folder = await mkdtemp(join(tmpdir(), 'replay-'));
  file = join(folder, 'order.json');
  const json = historyToJSON(await handle.fetchHistory());
  history = JSON.parse(json);
  await writeFile(file, json);
});
afterAll(() => rm(folder, { recursive: true }));

const eventOf = (type: string, nth = 0) =>
  Number(history.events.filter(({ eventType }) => eventType === `EVENT_TYPE_${type}`)[nth]?.eventId);

describe('ALL-13 pnpm replay', () => {
  it('says that nothing differs', async () => {
    const count = history.events.length;
    expect(await replayCommand([file, '--app', 'order'], root)).toEqual({
      replays: true,
      text: `${file} replays: ${count} events, nothing differs`,
    });
  });

  it('says in words where they part', async () => {
    const { replays, text } = await replayCommand([file, '--app', 'order-changed'], root);
    expect(replays).toBe(false);
    expect(text.split('\n').slice(0, 3)).toEqual([
      `${file} does not replay: it parts at event ${eventOf('START_CHILD_WORKFLOW_EXECUTION_INITIATED')} of ${history.events.length}`,
      '  then, the workflow  starts child workflow parcel',
      '  now, the code       schedules activity wrap',
    ]);
  });

  it.each([
    ['two apps that have it', [], 'app: more than one app has the workflow order: name one with --app'],
    ['an app that there is not', ['--app', 'none'], 'app: none is no app here, to have the workflow order'],
    ['another option', ['--what'], 'arguments: must be: pnpm replay'],
  ])('refuses %s', async (_, options, message) => {
    const refused = replayCommand([file, ...options], root);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(InvalidInputError);
  });

  it.each([
    ['no JSON', 'hello', 'is no history'],
    ['other JSON', '{}', 'is no history'],
    ['events that belong to no workflow', '{ "events": [] }', 'holds no history of a workflow'],
  ])('refuses a file with %s', async (_, content, message) => {
    const other = join(folder, 'other.json');
    await writeFile(other, content);
    await expect(replayCommand([other], root)).rejects.toThrow(message);
  });
});

describe('where a changed workflow parts from its history', () => {
  const changed = async (from: string, to: string) => {
    const planted = code.replace(from, to);
    expect(planted).not.toBe(code);
    return whereTheyPart({ code: planted }, history, 'order:1');
  };
  const sdk = (name: string) => `(0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.${name})`;
  const ship = ['ACTIVITY_TASK_SCHEDULED', 1, 'schedules activity ship'] as const;

  it.each([
    ['another activity', 'await ship()', 'await reserve()', ...ship, 'schedules activity reserve'],
    ['no more activity', 'await ship();', '', ...ship, 'completes'],
    ['waiting for ever', 'await ship();', 'await new Promise(() => {});', ...ship, 'does nothing more'],
    ['a bug', 'await ship();', 'undefined.ship();', ...ship, "Cannot read properties of undefined (reading 'ship')"],
    [
      'a failure',
      'await ship();',
      `throw ${sdk('ApplicationFailure')}.create({});`,
      ...ship,
      'fails: ApplicationFailure',
    ],
    ['a memo before', 'await ship();', `${sdk('upsertMemo')}({}); await ship();`, ...ship, 'changes its memo'],
    [
      'one activity more',
      'await ship();',
      'await ship(); await ship();',
      'WORKFLOW_EXECUTION_COMPLETED',
      0,
      'completes',
      'schedules activity ship',
    ],
    [
      'an activity instead of a timer',
      `${sdk('sleep')}('1 day')`,
      'ship()',
      'TIMER_STARTED',
      0,
      'starts a timer of 86400 s',
      'schedules activity ship',
    ],
    [
      'a timer instead of an activity',
      'await reserve()',
      `await ${sdk('sleep')}(5)`,
      'ACTIVITY_TASK_SCHEDULED',
      0,
      'schedules activity reserve',
      'starts a timer of 0.005 s',
    ],
    [
      'no local activity',
      'await price();',
      '',
      'MARKER_RECORDED',
      0,
      'runs local activity price',
      'schedules activity reserve',
    ],
    [
      'no memo',
      `${sdk('upsertMemo')}({\n        reserved: true\n    });`,
      '',
      'WORKFLOW_PROPERTIES_MODIFIED',
      0,
      'changes its memo',
      'starts a timer of 86400 s',
    ],
    [
      'no patch',
      `${sdk('patched')}('insurance')`,
      'true',
      'MARKER_RECORDED',
      1,
      'asks for the patch insurance',
      'does not ask for that any more',
    ],
    [
      'another child',
      `${sdk('startChild')}(parcel)`,
      `${sdk('startChild')}('crate')`,
      'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
      0,
      'starts child workflow parcel',
      'starts child workflow crate',
    ],
    [
      'no signal',
      'await child.signal(openSignal);',
      '',
      'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED',
      0,
      'sends signal open',
      'does nothing more',
    ],
    ['continuing as new', 'await ship();', `await ${sdk('continueAsNew')}();`, ...ship, 'continues as new'],
  ] as const)('%s', async (_, from, to, type, nth, then, now) => {
    expect(await changed(from, to)).toMatchObject({
      event: eventOf(type, nth),
      history: then,
      code: expect.stringContaining(now),
    });
  });

  it('nowhere, if what differs is no command: another duration', async () => {
    expect(await changed("'1 day'", "'2 days'")).toBeUndefined();
  });
});
