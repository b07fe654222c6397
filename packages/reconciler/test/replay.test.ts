import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { replayHistory } from '@repo/testing';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('./histories', import.meta.url));
const files = await readdir(folder);
let code: string;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('../src/workflows.ts', import.meta.url));
  ({ code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') }));
});

describe('ALL-2 recorded turns replay', () => {
  it('there are some', () => expect(files).not.toEqual([]));
  it.each(files)('%s', async (file) => {
    await replayHistory({ code }, JSON.parse(await readFile(`${folder}/${file}`, 'utf8')));
  });
});
