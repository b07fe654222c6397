import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { type HistoryJson, workflowIdIn } from './command-words.ts';
import { workflowBundle } from './environment.ts';
import { keepToWorkflows } from './in-this-thread.ts';
import { quietRuntime } from './quiet-runtime.ts';
import { replayAll } from './replay-all.ts';

/**
 * Replays each recorded history (`<folder>/*.json`, as `temporal workflow show --output json` writes it) against the
 * workflow code at hand: one test a file. A change that breaks running workflows fails here.
 */
export async function replayRecordedHistories(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  describe('ALL-2 recorded histories replay', () => {
    let failed: Map<string, Error | undefined>;
    beforeAll(async () => {
      quietRuntime();
      failed = await replayAll(
        workflowBundle(),
        files.map((file) => join(folder, file)),
      );
    });
    it('has histories to replay', () => expect(files).not.toEqual([]));
    it.each(files)('%s', (file) => {
      expect([...failed.keys()]).toContain(join(folder, file));
      const error = failed.get(join(folder, file));
      if (error) throw error;
    });
  });
}

/**
 * Replays one recorded history against a bundle, such as that of another version of the code.
 * @throws DeterminismViolationError where they part, ReplayError where the code throws
 */
export async function replayHistory(workflowBundle: WorkflowBundleOption, history: HistoryJson): Promise<void> {
  quietRuntime();
  keepToWorkflows();
  await Worker.runReplayHistory({ workflowBundle }, history, workflowIdIn(history) ?? 'unknown');
}
