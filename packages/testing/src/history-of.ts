import { withTemporal } from '@repo/dev-stack/commands';
import { connectClient, OperatorError } from '@repo/worker-kit';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { HistoryJson } from './command-words.ts';

/**
 * The history of a run on the Temporal that the environment names, or else on this clone's own.
 * @throws OperatorError if there is no such workflow, with `usage` in its next step
 */
export const historyOf = (workflowId: string, usage: string): Promise<HistoryJson> =>
  withTemporal(async () => {
    const client = await connectClient();
    try {
      const history = await client.workflow.getHandle(workflowId).fetchHistory();
      return JSON.parse(historyToJSON(history)) as HistoryJson;
    } catch (cause) {
      const next = `Name one of the workflows that \`pnpm temporal workflow list\` shows: ${usage}`;
      throw new OperatorError(`${workflowId}: ${(cause as Error).message}`, next, { cause });
    } finally {
      await client.connection.close();
    }
  });
