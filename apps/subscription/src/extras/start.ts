import type { StartDefinition } from '@repo/dev-stack';
import { taskQueue } from '@repo/worker-kit';
import { defaultTaskQueue } from '../contract.ts';
import { type Demo, setUp } from './demo.ts';
import { whatToTry } from './same-by-hand.ts';
import { scenarios } from './scenarios.ts';

/** `start`: a worker and a mail server of its own on the stack of this clone, and a scenario. */
export const start: StartDefinition<Demo> = {
  title: 'subscription: years of billing in one workflow',
  scenarios,
  defaultScenario: 'subscribe',
  // A task queue of its own, so that two of them never mix; never the mail server of SMTP_URL: a demo must not write to people.
  setUp: (session) => setUp(session, session.taskQueue),
  afterwards: (demo, session) => whatToTry(demo, session).forEach(session.print),
};

/** `worker`: a worker on the app's own task queue, for as long as nobody stops it; and a mail server, if SMTP_URL names none. */
export const worker: StartDefinition<Demo> = {
  title: 'subscription: a worker',
  scenarios: [
    {
      name: 'worker',
      title: `A worker takes what comes on task queue ${taskQueue(defaultTaskQueue)}`,
      promises: 'it takes what comes.',
      timeLimitMs: Infinity,
      run: (_, session) => {
        const inbox = 'Mail stays here, to be read with: pnpm --filter subscription subscription inbox';
        session.print(`  ${process.env.SMTP_URL ? 'Mail goes out through SMTP_URL' : inbox}`);
        session.print('  Until Ctrl-C. In another terminal, for example:');
        session.print('    pnpm --filter subscription customer add alice');
        session.print('    pnpm --filter subscription customer pay-in alice --amount 100');
        session.print('    pnpm --filter subscription subscription subscribe --customer alice --plan phone-36');
        return new Promise(() => {});
      },
    },
  ],
  defaultScenario: 'worker',
  setUp: (session) => setUp(session, taskQueue(defaultTaskQueue), process.env.SMTP_URL || undefined),
};
