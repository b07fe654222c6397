import { OperatorError, readConfig, taskQueue } from '@repo/worker-kit';
import { defaultTaskQueue } from '../contract.ts';
import { environmentsOverHttp } from '../services/environment-client.ts';
import { type Environments, servicesConfig } from '../services.ts';
import { workerCommand } from './release-lookup.ts';
import { announcedQueues, findSurroundings } from './surroundings.ts';

/**
 * The environments of ENVIRONMENTS, or else those that run on this machine for the task queue.
 * @throws OperatorError if there are none
 */
export async function environmentsAtHand(): Promise<Environments> {
  if (process.env.ENVIRONMENTS) {
    return environmentsOverHttp(readConfig(servicesConfig.pick({ ENVIRONMENTS: true })).ENVIRONMENTS);
  }
  const queue = taskQueue(defaultTaskQueue);
  const found = await findSurroundings(queue);
  if (found) return environmentsOverHttp(found.environments);
  const others = (await announcedQueues()).map((one) => `TASK_QUEUE=${one}`).join(', ');
  throw new OperatorError(
    `No environments run here for task queue ${queue}${others && `; there are some for ${others}`}.`,
    `Start them, with a worker: ${workerCommand(queue)}. Or say with ENVIRONMENTS where they are.`,
  );
}
