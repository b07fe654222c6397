import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { Permissions } from '@repo/permissions';
import { connectWorker, readConfig, runProgram, runUntilStopped, taskQueue } from '@repo/worker-kit';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { type Activities, createActivities } from '../../activities.ts';
import { defaultTaskQueue } from '../../contract.ts';
import { createServices, servicesConfig } from '../../services.ts';

/**
 * For scenarios: the app's worker, but for one fault. `--bundle` as there; `--fault` is one of
 *
 * - `held-write`: the first write to SpiceDB is on its way until this process is sent a message, as on a slow network
 * - `lost-replies`: of each step that writes, the first reply is lost, after it has been done
 */
await runProgram(async () => {
  const { bundle = '', fault } = parseArgs({
    options: { bundle: { type: 'string' }, fault: { type: 'string' } },
  }).values;
  const services = createServices(readConfig(servicesConfig));
  const held = { ...services, permissions: holdingFirstWrite(services.permissions) };
  const activities = fault === 'held-write' ? createActivities(held) : losingReplies(createActivities(services));
  const { connection, namespace } = await connectWorker();
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(defaultTaskQueue),
    workflowBundle: { codePath: bundle },
    activities,
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  await runUntilStopped(worker, connection).finally(() => services.close());
});

function holdingFirstWrite(permissions: Permissions): Permissions {
  let writes = 0;
  return {
    ...permissions,
    async write(request, options) {
      writes += 1;
      if (writes > 1) return permissions.write(request, options);
      process.send?.({ write: 'on its way' });
      await once(process, 'message');
      // Without the signal: what is on its way does not hear that nobody waits for it any more.
      return permissions.write(request).then(
        (written) => {
          process.send?.({ write: 'done' });
          return written;
        },
        (error: unknown) => {
          process.send?.({ write: 'refused', type: (error as { type?: string }).type });
          throw error;
        },
      );
    },
  };
}

function losingReplies(activities: Activities): Activities {
  const lost = new Set<string>();
  const losing =
    <Input, Reply>(name: string, activity: (input: Input) => Promise<Reply>) =>
    async (input: Input): Promise<Reply> => {
      const reply = await activity(input);
      if (lost.has(name)) return reply;
      lost.add(name);
      throw ApplicationFailure.create({ type: 'LostReply', message: `${name} was done, and its reply is lost` });
    };
  const { begin, apply, settle } = activities;
  return {
    ...activities,
    begin: losing('begin', begin),
    apply: losing('apply', apply),
    settle: losing('settle', settle),
  };
}
