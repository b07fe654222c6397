import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from './environment.ts';
import { quietRuntime } from './quiet-runtime.ts';

/**
 * Replays each recorded history (`<folder>/*.json`, as `temporal workflow show --output json` writes it) against the
 * workflow code at hand: one test a file. A change that breaks running workflows fails here.
 */
export async function replayRecordedHistories(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  quietRuntime();
  describe('ALL-2 recorded histories replay', () => {
    it('has histories to replay', () => expect(files).not.toEqual([]));
    it.each(files)('%s', async (file) => {
      const json = JSON.parse(await readFile(join(folder, file), 'utf8'));
      await Worker.runReplayHistory(
        { workflowBundle: workflowBundle() },
        historyFromJSON(json),
        workflowIdOf(json, file),
      );
    });
  });
}

/** Workflow code may look at its own id, so the replay has to have the recorded one. */
const workflowIdOf = (
  history: { events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[] },
  file: string,
) => history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? basename(file, '.json');
