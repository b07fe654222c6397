import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { type HistoryJson, workflowIdIn } from './command-words.ts';
import { workflowBundle } from './environment.ts';
import { quietRuntime } from './quiet-runtime.ts';

/**
 * Replays each recorded history (`<folder>/*.json`, as `temporal workflow show --output json` writes it) against the
 * workflow code at hand: one test a file. A change that breaks running workflows fails here.
 */
export async function replayRecordedHistories(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  describe('ALL-2 recorded histories replay', () => {
    it('has histories to replay', () => expect(files).not.toEqual([]));
    it.each(files)('%s', async (file) => {
      await replayHistory(workflowBundle(), JSON.parse(await readFile(join(folder, file), 'utf8')));
    });
  });
}

/**
 * Replays one recorded history against a bundle, such as that of another version of the code.
 * @throws DeterminismViolationError where they part, ReplayError where the code throws
 */
export async function replayHistory(workflowBundle: WorkflowBundleOption, history: HistoryJson): Promise<void> {
  quietRuntime();
  await Worker.runReplayHistory({ workflowBundle }, history, workflowIdIn(history) ?? 'unknown');
}
