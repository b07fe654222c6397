import type { StartDefinition } from '@repo/dev-stack';
import { taskQueue } from '@repo/worker-kit';
import { defaultTaskQueue } from '../contract.ts';
import { type Demo, setUp } from './demo.ts';
import { whatToTry } from './same-by-hand.ts';
import { scenarios } from './scenarios.ts';

/** `start`: a worker of its own on the stack of this clone, and a scenario. */
export const start: StartDefinition<Demo> = {
  title: 'money-transfer: a ledger that never loses a cent',
  scenarios,
  defaultScenario: 'send',
  // A task queue of its own, so that two of them never mix.
  setUp: (session) => setUp(session, session.taskQueue),
  afterwards: (demo, session) => whatToTry(demo, session).forEach(session.print),
};

/** `worker`: a worker on the app's own task queue, for as long as nobody stops it. */
export const worker: StartDefinition<Demo> = {
  title: 'money-transfer: a worker',
  scenarios: [
    {
      name: 'worker',
      title: `A worker takes what comes on task queue ${taskQueue(defaultTaskQueue)}`,
      promises: 'it takes what comes.',
      timeLimitMs: Infinity,
      run: (_, session) => {
        session.print('  Until Ctrl-C. In another terminal, for example:');
        session.print('    pnpm --filter money-transfer account open zoe --currency EUR');
        session.print('    pnpm --filter money-transfer account pay-in zoe --amount 100 --currency EUR');
        return new Promise(() => {});
      },
    },
  ],
  defaultScenario: 'worker',
  setUp: (session) => setUp(session, taskQueue(defaultTaskQueue)),
};
