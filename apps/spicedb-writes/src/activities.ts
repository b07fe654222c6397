import { DatabaseUnavailable } from '@repo/operations';
import { type Permissions, PermissionsError, permissionsFailureTypes, type Relationship } from '@repo/permissions';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { type Change, failureTypes, type Held } from './contract.ts';
import type { Services } from './services.ts';

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
        const several = relationships.filter(({ relation }) => relation === 'fence').length > 1;
        return { fence: several ? -1 : fence, authors };
      }),
  };
}

export type Activities = ReturnType<typeof createActivities>;

/**
 * Replaces author and fence in one atomic write that requires the fence which was read. A slow old write that arrives after
 * a newer one finds another fence, so it cannot bring back what the newer one revoked.
 */
async function apply(permissions: Permissions, grant: Grant, signal: AbortSignal): Promise<Applied> {
  const { post, author, generation } = grant;
  const wanted = [fenceOf(post, generation), ...(author === undefined ? [] : [authorOf(post, author)])];
  for (;;) {
    const held = await heldBy(permissions, post, signal);
    const isDone = held.fence === generation && held.authors.join() === (author ?? '');
    if (isDone) return { status: 'done', token: await freshToken(permissions, grant, signal) };
    if (held.fence >= generation) return { status: 'stale', fence: held.fence };
    const superfluous = held.relationships.filter((one) => !wanted.some((other) => isSame(one, other)));
    try {
      const { token } = await permissions.write(
        {
          updates: [
            ...superfluous.map((relationship) => ({ operation: 'delete' as const, relationship })),
            ...wanted.map((relationship) => ({ operation: 'touch' as const, relationship })),
          ],
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
  const subjects = (name: string) =>
    relationships.filter(({ relation }) => relation === name).map(({ subject }) => subject.id);
  // Whatever somebody has written by hand that is no number counts as nothing.
  const fence = Math.max(0, ...subjects('fence').map(Number).filter(Number.isSafeInteger));
  return { fence, authors: subjects('author'), relationships };
}

function fencesUnchanged(post: string, relationships: Relationship[]) {
  const filter = { resourceType: 'post', resourceId: post, relation: 'fence' };
  const fences = relationships.filter(({ relation }) => relation === 'fence');
  if (fences.length === 0) return [{ must: 'not-match' as const, filter }];
  return fences.map(({ subject: { type, id } }) => ({
    must: 'match' as const,
    filter: { ...filter, subject: { type, id } },
  }));
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
  // What the store's client said is the cause. With the error in between as well, stack traces would pass the size limit of
  // what Temporal shows of a pending activity, and the type with them.
  const { message, cause } = error as Error;
  return ApplicationFailure.create({ type, message, ...(cause instanceof Error && { cause }) });
}
