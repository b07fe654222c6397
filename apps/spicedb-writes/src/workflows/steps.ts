import { untilItSucceeds } from '@repo/activity-options';
import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities.ts';
import type { Change, PostState, Seen } from '../contract.ts';
import { untilDone } from './run.ts';

const { startToCloseTimeout, cancellationType } = untilItSucceeds;

// Without `retry` it is Temporal's default policy, which this app demonstrates: after 1 s, 2 s, 4 s … at most 100 s, for ever.
// That of the preset differs in numbers only.
const activities = proxyActivities<Activities>({ startToCloseTimeout, cancellationType });

/** A post that nobody is changing. */
interface Settled {
  generation: number;
  /** Missing if there is no such post. */
  author?: string;
  /** Whether a change that was left unfinished had to be carried to its end. */
  resumed: boolean;
}

/** What there is of the post, after a change that was left unfinished (its workflow was terminated) has been carried to its end. */
export async function settled(state: PostState): Promise<Settled> {
  const { post } = state;
  for (let resumed = false; ; resumed = true) {
    const { generation, row } = await untilDone(state, `Looking for ${post}`, (options) =>
      activities.look.executeWithOptions(options, [{ post }]),
    );
    if (!row) return { generation, resumed };
    if (row.status === 'active') return { generation, author: row.author, resumed };
    await CancellationScope.nonCancellable(() => finish(state, unfinished(post, row), generation));
  }
}

/**
 * Makes the change, in steps that only go forward: row closed, relationship written, row opened again or deleted. Whatever
 * stops it in between leaves a post that nobody sees.
 * @returns false if another change was faster; the post is then what that one made of it
 */
export function carryOut(state: PostState, change: Change, { generation }: Settled): Promise<boolean> {
  // A cancellation in the middle would leave the post closed: from here on there is only the way to the end.
  return CancellationScope.nonCancellable(
    async () => (await begin(state, change, generation, generation + 1)) && finish(state, change, generation + 1),
  );
}

/** True if SpiceDB holds of this post what it must. */
export async function agrees(state: PostState, { generation, author }: Settled): Promise<boolean> {
  const { post } = state;
  const { fence, authors } = await untilDone(state, `Looking for ${post} in SpiceDB`, (options) =>
    activities.inspect.executeWithOptions(options, [{ post }]),
  );
  return fence === generation && authors.join() === (author ?? '');
}

function begin(state: PostState, change: Change, seen: number, generation: number): Promise<boolean> {
  return untilDone(state, `Closing ${change.post} for its change ${generation}`, (options) =>
    activities.begin.executeWithOptions(options, [{ ...change, seen, generation }]),
  );
}

async function finish(state: PostState, change: Change, begun: number): Promise<boolean> {
  const { post, author } = change;
  const words = author === undefined ? `Revoking the author of ${post}` : `Making ${author} the author of ${post}`;
  let generation = begun;
  for (;;) {
    const applied = await untilDone(state, words, (options) =>
      activities.apply.executeWithOptions(options, [{ post, author, generation }]),
    );
    if (applied.status === 'done') {
      return untilDone(state, author === undefined ? `Deleting ${post}` : `Opening ${post}`, (options) =>
        activities.settle.executeWithOptions(options, [{ post, generation, token: applied.token }]),
      );
    }
    // Either PostgreSQL knows a newer change as well, and refuses this one; or it has forgotten some (restored from a
    // backup), and this change has to go in front of them.
    if (!(await begin(state, change, generation, applied.fence + 1))) return false;
    generation = applied.fence + 1;
  }
}

function unfinished(post: string, { author, status }: NonNullable<Seen['row']>): Change {
  if (status === 'deleting') return { change: 'delete', post };
  return { change: status === 'transferring' ? 'transfer' : 'write', post, author };
}
