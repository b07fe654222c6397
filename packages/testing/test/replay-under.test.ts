import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timeSkippingEnvironment, workflowBundle } from '../src/index.ts';
import { partedIn } from '../src/replay-under.ts';

const { codePath } = workflowBundle();
const workflows = ['inTurn', 'byItsOwnClock', 'inItsOwnLanguage'];
let folder: string;
const fileOf = (workflow: string) => join(folder, `${workflow}.json`);

beforeAll(async () => {
  // The same whoever runs these tests: what the recording worker does is what one in UTC and English does.
  process.env.TZ = 'UTC';
  const env = await timeSkippingEnvironment();
  folder = await mkdtemp(join(tmpdir(), 'replay-under-'));
  const taskQueue = 'recorded';
  const activities = { note: async () => {} };
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities,
  });
  await worker.runUntil(async () => {
    for (const workflow of workflows) {
      const handle = await env.client.workflow.start(workflow, {
        workflowId: workflow,
        taskQueue,
        args: [['note', 'note']],
      });
      await handle.result();
      await writeFile(fileOf(workflow), historyToJSON(await handle.fetchHistory()));
    }
  });
});
afterAll(() => rm(folder, { recursive: true }));

const differs = (workflow: string) => expect.stringContaining(`${fileOf(workflow)}: [TMPRL1100] Nondeterminism error`);

describe('histories of a worker in UTC and English', () => {
  it('replay where they were made', async () => {
    expect(await partedIn({ TZ: 'UTC', LANG: 'en_US' }, codePath, workflows.map(fileOf))).toEqual([]);
  });

  it('part in another time zone, and in another language, if the workflow asks for its own', async () => {
    const parted = await partedIn({ TZ: 'Asia/Kathmandu', LANG: 'tr_TR' }, codePath, workflows.map(fileOf));
    expect(parted).toEqual([differs('byItsOwnClock'), differs('inItsOwnLanguage')]);
  });

  it.each([
    ['time zone', { TZ: 'asia/kathmandu', LANG: 'en_US' }, 'came up in undefined and en-US'],
    ['language', { TZ: 'UTC', LANG: 'C' }, 'came up in UTC and en-US'],
  ])('say nothing if a process does not take the %s', async (_, place, message) => {
    await expect(partedIn(place, codePath, [])).rejects.toThrow(message);
  });
});
