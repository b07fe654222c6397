import { temporalAddress } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { expect, it, vi } from 'vitest';
import { postWorkflowId } from '../src/contract.ts';
import { changesThatGoOn } from '../src/extras/same-by-hand.ts';

it('at its end, start names what it leaves open, and the worker that finishes it', async () => {
  const client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
  const post = 'left-open-by-start';
  const place = { workflowId: postWorkflowId(post), taskQueue: 'of-a-start-that-has-ended' };
  const said = async (taskQueue: string) => {
    const lines: string[] = [];
    await changesThatGoOn({ taskQueue, print: (line) => void lines.push(line) }, client);
    return lines.join('\n');
  };
  const open = await client.workflow.start('writePost', { ...place, args: [{ post, author: 'bob' }] });
  // Temporal's lists are a moment behind.
  await vi.waitFor(async () => expect(await said(place.taskQueue)).toMatch(/Still open/), 10_000);
  expect(await said(place.taskQueue)).toContain(`${place.workflowId}\n  TASK_QUEUE=${place.taskQueue} `);
  expect(await said('another-queue')).toBe('');
  await open.terminate();
  await client.connection.close();
});
