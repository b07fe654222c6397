import { readFile } from 'node:fs/promises';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { type HistoryJson, workflowIdIn } from './command-words.ts';
import { keepToWorkflows } from './in-this-thread.ts';

/**
 * Replays recorded histories one after another, all with one worker: to make one takes longer than to replay a history.
 * @returns for each file what the replay failed of, if it did
 */
export async function replayAll(
  workflowBundle: WorkflowBundleOption,
  files: readonly string[],
): Promise<Map<string, Error | undefined>> {
  const histories = await Promise.all(
    files.map(async (file) => {
      const history = JSON.parse(await readFile(file, 'utf8')) as HistoryJson;
      return { history, workflowId: workflowIdIn(history) ?? 'unknown' };
    }),
  );
  const failed: (Error | undefined)[] = [];
  if (files.length > 0) {
    keepToWorkflows();
    // In the order in which they are given.
    for await (const { error } of Worker.runReplayHistories({ workflowBundle }, histories)) failed.push(error);
  }
  if (failed.length !== files.length) throw new Error(`Of ${files.length} histories ${failed.length} were replayed.`);
  return new Map(files.map((file, index) => [file, failed[index]]));
}
