import { activityFailure } from '@repo/activity-options/failure';
import { DatabaseUnavailable } from '@repo/operations';
import { type Permissions, PermissionsError, permissionsFailureTypes, type Relationship } from '@repo/permissions';
import { Context } from '@temporalio/activity';
import { type Change, failureTypes, type Held } from './contract.ts';
import type { Services } from './services.ts';

/** SpiceDB's own limit of one write, unless it was started with another one. */
const mostPerWrite = 1_000;

/** A call is given up before its activity is, so that the failure says what did not answer. */
const shareOfTime = 0.8;

/** Whose the post is to be in SpiceDB, nobody's if `author` is missing, and the generation of the change that says so. */
interface Grant {
  post: string;
  author?: string | undefined;
  generation: number;
}

/** `stale` if SpiceDB has a later generation; nothing was written. `token` is SpiceDB's, of a moment at which it was done. */
export type Applied = { status: 'done'; token: string } | { status: 'stale'; fence: number };

/**
 * The only place where this app touches the world. Every activity may run more than once, at once, and late: generations
 * make the second time harmless.
 */
export function createActivities({ posts, permissions }: Services) {
  return {
    look: ({ post }: { post: string }) => attempt(() => posts.look(post)),
    begin: (change: Change & { seen: number; generation: number }) => attempt(() => posts.begin(change)),
    apply: (grant: Grant) => attempt((signal) => apply(permissions, grant, signal)),
    settle: (settled: { post: string; generation: number; token: string }) => attempt(() => posts.settle(settled)),
    inspect: ({ post }: { post: string }) =>
      attempt(async (signal): Promise<Held> => {
        const { fence, authors, relationships } = await heldBy(permissions, post, signal);
        const [only, ...others] = relationships.filter(({ relation }) => relation === 'fence');
        const isByHand = others.length > 0 || (only !== undefined && !isFence(only));
        return { fence: isByHand ? -1 : fence, authors };
      }),
  };
}

export type Activities = ReturnType<typeof createActivities>;

/**
 * Replaces author and fence in one atomic write that requires the fence which was read. A slow old write that arrives after
 * a newer one finds another fence, so it cannot bring back what the newer one revoked. What is too much for one write goes
 * before it, under the same precondition: meanwhile nobody has more than before, and the fence stays.
 */
async function apply(permissions: Permissions, grant: Grant, signal: AbortSignal): Promise<Applied> {
  const { post, author, generation } = grant;
  const wanted = [fenceOf(post, generation), ...(author === undefined ? [] : [authorOf(post, author)])];
  for (;;) {
    const held = await heldBy(permissions, post, signal);
    const isDone = held.fence === generation && held.authors.join() === (author ?? '');
    if (isDone) return { status: 'done', token: await freshToken(permissions, grant, signal) };
    if (held.fence >= generation) return { status: 'stale', fence: held.fence };
    const guard = guardOf(held.relationships);
    const superfluous = held.relationships
      .filter((one) => !wanted.some((other) => isSame(one, other)))
      // The fence that guards the writes goes with the last one.
      .sort((one, other) => Number(one === guard) - Number(other === guard))
      .map((relationship) => ({ operation: 'delete' as const, relationship }));
    const touches = wanted.map((relationship) => ({ operation: 'touch' as const, relationship }));
    try {
      while (superfluous.length + touches.length > mostPerWrite) {
        const updates = superfluous.splice(0, Math.min(mostPerWrite, superfluous.length - 1));
        await permissions.write({ updates, preconditions: fencesUnchanged(post, held.relationships) }, { signal });
      }
      const { token } = await permissions.write(
        {
          updates: [...superfluous, ...touches],
          preconditions: fencesUnchanged(post, held.relationships),
        },
        { signal },
      );
      return { status: 'done', token };
    } catch (error) {
      // Another write was faster: what it made of the post decides.
      if (!(error instanceof PermissionsError && error.type === permissionsFailureTypes.preconditionFailed))
        throw error;
    }
  }
}

/** All that SpiceDB holds of a post at this moment. */
async function heldBy(permissions: Permissions, post: string, signal: AbortSignal) {
  const relationships: Relationship[] = [];
  const filter = { resourceType: 'post', resourceId: post };
  for await (const one of permissions.relationships({ filter, consistency: 'full' }, { signal }))
    relationships.push(one);
  const authors = relationships.filter(({ relation }) => relation === 'author').map(({ subject }) => subject.id);
  const guard = guardOf(relationships);
  return { fence: guard && isFence(guard) ? Number(guard.subject.id) : 0, authors, relationships };
}

/**
 * A fence as this app writes it. What else somebody has written by hand counts as nothing: `01`, or a number so large that
 * those after it would not be exact.
 */
const isFence = ({ relation, subject }: Relationship): boolean =>
  relation === 'fence' && /^[1-9]\d{0,14}$/.test(subject.id);

/** The highest fence; whatever stands in its place if there is none. Each write that is newer replaces it. */
function guardOf(relationships: Relationship[]): Relationship | undefined {
  const value = (one: Relationship) => (isFence(one) ? Number(one.subject.id) : 0);
  const [first, ...others] = relationships.filter(({ relation }) => relation === 'fence');
  if (first === undefined) return undefined;
  return others.reduce((highest, one) => (value(one) > value(highest) ? one : highest), first);
}

/** That the fence which was read is still there, or that there is still none. */
function fencesUnchanged(post: string, relationships: Relationship[]) {
  const filter = { resourceType: 'post', resourceId: post, relation: 'fence' };
  const guard = guardOf(relationships);
  if (guard === undefined) return [{ must: 'not-match' as const, filter }];
  const { type, id } = guard.subject;
  return [{ must: 'match' as const, filter: { ...filter, subject: { type, id } } }];
}

/** For a write that has happened, but whose reply was lost. */
async function freshToken(permissions: Permissions, { post, author = 'nobody' }: Grant, signal: AbortSignal) {
  const question = { resource: { type: 'post', id: post }, permission: 'view', subject: { type: 'user', id: author } };
  return (await permissions.check({ ...question, consistency: 'full' }, { signal })).token;
}

const isSame = (one: Relationship, other: Relationship): boolean =>
  one.relation === other.relation && one.subject.type === other.subject.type && one.subject.id === other.subject.id;

const authorOf = (post: string, author: string): Relationship => ({
  resource: { type: 'post', id: post },
  relation: 'author',
  subject: { type: 'user', id: author },
});

const fenceOf = (post: string, generation: number): Relationship => ({
  resource: { type: 'post', id: post },
  relation: 'fence',
  subject: { type: 'generation', id: String(generation) },
});

/** @throws ApplicationFailure with a type and the cause kept, always retryable */
async function attempt<Reply>(call: (signal: AbortSignal) => Promise<Reply>): Promise<Reply> {
  try {
    const { info, cancellationSignal } = Context.current();
    const giveUp = AbortSignal.timeout(Math.floor(info.startToCloseTimeoutMs * shareOfTime));
    return await call(AbortSignal.any([giveUp, cancellationSignal]));
  } catch (error) {
    throw toFailure(error);
  }
}

/**
 * Nothing is refused for good here: what a store cannot hold was refused before. A wrong key or a missing schema is for an
 * operator to mend, and the change then goes on by itself.
 */
function toFailure(error: unknown): unknown {
  const type =
    error instanceof PermissionsError
      ? error.type
      : error instanceof DatabaseUnavailable
        ? failureTypes.databaseUnavailable
        : undefined;
  if (type === undefined) return error;
  const { message, cause } = error as Error;
  // What the store's client said.
  return activityFailure({ type, message, ...(cause instanceof Error && { cause }) });
}
