import type { StartDefinition } from '@repo/dev-stack';
import { taskQueue } from '@repo/worker-kit';
import { defaultTaskQueue, environments } from '../contract.ts';
import { type Demo, setUpForAll, setUpOfItsOwn, startEnvironments } from './demo.ts';
import { command } from './release-lookup.ts';
import { whatToTry } from './same-by-hand.ts';
import { scenarios } from './scenarios.ts';

/** `start`: environments and a worker of its own on the stack of this clone, and a scenario. */
export const start: StartDefinition<Demo> = {
  title: 'release-orchestrator: releases that really deploy',
  scenarios,
  defaultScenario: 'release',
  // A task queue of its own, so that two of them never mix.
  setUp: setUpOfItsOwn,
  afterwards: (demo, session) => whatToTry(demo, session).forEach(session.print),
};

/** `worker`: a worker on the app's own task queue, for as long as nobody stops it. */
export const worker: StartDefinition<Demo> = {
  title: 'release-orchestrator: a worker',
  scenarios: [
    {
      name: 'worker',
      title: `A worker takes what comes on task queue ${taskQueue(defaultTaskQueue)}`,
      promises: 'it takes what comes.',
      timeLimitMs: Infinity,
      run: (_, session) => {
        session.print('  Until Ctrl-C. In another terminal, for example:');
        session.print(`    ${command('pnpm --filter release-orchestrator release env show')}`);
        session.print(
          `    echo '${JSON.stringify(anExample)}' | ${command('pnpm --filter release-orchestrator release create -')}`,
        );
        return new Promise(() => {});
      },
    },
  ],
  defaultScenario: 'worker',
  setUp: async (session) => {
    await setUpForAll(session, taskQueue(defaultTaskQueue));
    // Its one scenario asks for nothing of this.
    return undefined as never;
  },
};

const anExample = {
  release: 'r-1',
  deployables: [{ name: 'hello-web', source: 'deployables/hello-web' }],
  environments: ['dev', 'test'],
};

/** `environments`: the four hosts that workers and commands find, for as long as nobody stops them. */
export const environmentsAlone: StartDefinition<unknown> = {
  title: 'release-orchestrator: four environments',
  scenarios: [
    {
      name: 'environments',
      title: environments.join(', '),
      promises: 'they serve what they are given.',
      timeLimitMs: Infinity,
      run: (_, session) => {
        session.print('  Until Ctrl-C. In another terminal, for example:');
        session.print(`    ${command('pnpm --filter release-orchestrator release env show')}`);
        session.print(`    ${command('pnpm --filter release-orchestrator worker')}`);
        return new Promise(() => {});
      },
    },
  ],
  defaultScenario: 'environments',
  setUp: (session) => startEnvironments(session, taskQueue(defaultTaskQueue)),
};
