import { print, untilStopped, withClient } from '@repo/dev-stack/commands';
import { InvalidInputError, OperatorError } from '@repo/worker-kit';
import { ApplicationFailure, type Client, WorkflowFailedError } from '@temporalio/client';
import * as contract from '../contract.ts';
import { withRecords, withStores } from './local-stores.ts';
import * as words from './post-words.ts';
import { type Changes, changePost, lastChange } from './posts.ts';
import { driftOf, held } from './reconcile-stores.ts';
import { explainingTheWait } from './waiting.ts';

/** What the commands of this app do. Each sets the exit code that its `--help` tells of. */

const stopped = 130;

/** Changes a post and says what has become of it; exit code 1 if it is refused, 2 if there is no such post. */
export function changeCommand<Name extends keyof Changes>(
  name: Name,
  request: Changes[Name]['request'],
  json?: boolean,
): Promise<void> {
  return withClient(async (client) => {
    const { post } = request;
    const change = () => explainingTheWait(client, post, changePost(client, name, request));
    const outcome = await untilStopped(client, change).catch((error: unknown) => {
      throw endedFromOutside(error, post);
    });
    if (outcome === undefined) return sayWhatGoesOn(client, post);
    if (outcome.status === 'not-found') {
      if (!json) throw new InvalidInputError([{ field: 'post', message: 'is not known' }]);
      process.exitCode = 2;
      return console.log(JSON.stringify(outcome));
    }
    if (!words.isRefused(outcome)) return print(json, outcome, words.outcomeInWords);
    process.exitCode = 1;
    if (json) console.log(JSON.stringify(outcome));
    else console.error(words.outcomeInWords(outcome));
  });
}

/** For a change that somebody has terminated or cancelled; anything else as it is. */
function endedFromOutside(error: unknown, post: string): unknown {
  if (!(error instanceof WorkflowFailedError) || error.cause instanceof ApplicationFailure) return error;
  return new OperatorError(
    `The change of ${post} ${words.endInWords(error)}.`,
    'If it had begun, the post stays closed: post reconcile, or the next change of it, finishes it.',
    { cause: error },
  );
}

async function sayWhatGoesOn(client: Client, post: string): Promise<void> {
  process.exitCode = stopped;
  const last = await client.withDeadline(Date.now() + 2_000, () => lastChange(client, post));
  const goesOn = last?.isOpen ? 'is recorded, and goes on without you as soon as a worker runs' : 'is not under way';
  console.error(`A change of ${post} ${goesOn}: pnpm --filter spicedb-writes post status --post ${post}`);
}

/** Exit code 0 if it is allowed, 3 if not. */
export function checkCommand(request: { user: string; post: string; permission: contract.Permission }, json?: boolean) {
  return withStores(async ({ readers }) => {
    const allowed = await readers.check(request);
    const { user, post, permission } = request;
    print(json, { ...request, allowed }, () => `${user} may ${allowed ? '' : 'not '}${permission} ${post}.`);
    process.exitCode = allowed ? 0 : 3;
  });
}

/** One post a line. */
export function listCommand(request: { user: string }, json?: boolean): Promise<void> {
  return withStores(async ({ readers }) => {
    for await (const post of readers.list(request)) print(json, { post }, () => post);
  });
}

/** What both stores and Temporal know; exit code 1 if none of them has ever heard of the post. */
export function statusCommand({ post }: contract.PostRequest, json?: boolean): Promise<void> {
  return withClient((client) =>
    withRecords(async ({ permissions }, records) => {
      const [record, relationships, last] = await Promise.all([
        records.of(post),
        held(permissions, post),
        lastChange(client, post),
      ]);
      const { authors, fences } = relationships;
      if (!record && !last && authors.length + fences.length === 0) {
        throw new OperatorError(`There is no post ${post}.`, 'Posts are listed by: post list --user …');
      }
      const drift = driftOf(record ?? { post, generation: 0 }, relationships);
      const problem = last?.isOpen ? await problemOf(client, post) : undefined;
      const status = { record, held: relationships, last, drift, problem };
      print(json, { post, ...status }, () => words.statusInWords(post, status));
    }),
  );
}

/** Why an open change does not come to its end; undefined as well if no worker answers within a second. */
async function problemOf(client: Client, post: string): Promise<contract.PostState['problem']> {
  const handle = client.workflow.getHandle(contract.postWorkflowId(post));
  const state = client.withDeadline(Date.now() + 1_000, () => handle.query(contract.stateQuery));
  return (await state.catch(() => undefined))?.problem;
}
