import type { Client } from '@temporalio/client';
import { lastChange, workerCommand } from './posts.ts';

const patienceMs = 3_000;
const answerMs = 2_000;

/** The work; after three seconds it says once why the change of this post may not have come to its end yet. */
export async function explainingTheWait<Result>(client: Client, post: string, work: Promise<Result>): Promise<Result> {
  let explaining: Promise<void> | undefined;
  let isOver = false;
  const explain = async () => {
    // Nobody has asked for this: if Temporal does not answer, it is left out.
    const words = await waitingFor(client, post).catch(() => undefined);
    if (words !== undefined && !isOver) console.error(words);
  };
  const timer = setTimeout(() => {
    explaining = explain();
  }, patienceMs);
  try {
    return await work;
  } finally {
    isOver = true;
    clearTimeout(timer);
    await explaining;
  }
}

/** What an open change of the post is waiting for; undefined if there is none. */
async function waitingFor(client: Client, post: string): Promise<string | undefined> {
  const last = await client.withDeadline(Date.now() + answerMs, () => lastChange(client, post));
  if (!last?.isOpen) return undefined;
  const { type, taskQueue, step } = last;
  const of = `Waiting for ${type} of ${post}, on task queue ${taskQueue}`;
  if (step?.failure !== undefined) {
    return `${of}: ${step.name} has failed, and is tried again (attempt ${step.attempt}): ${step.failure}`;
  }
  if (step?.isRunning) return `${of}: ${step.name} is being done (attempt ${step.attempt}), and has no answer yet.`;
  return `${of}. If nobody serves it, start a worker: ${workerCommand(taskQueue)}`;
}
