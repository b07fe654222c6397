import { activityFailure } from '@repo/activity-options/failure';
import { Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { PermissionsError } from './errors.ts';
import { permissionsFailureTypes } from './failure-types.ts';
import { accept, listLimit } from './requests.ts';
import type { CheckRequest, DeleteRequest, Permissions, ResourcesRequest, WriteRequest } from './types.ts';

/** A call is given up before its activity is, so that the failure says that it was SpiceDB that did not answer. */
const shareOfTime = 0.8;

/**
 * SpiceDB as activities: one object in, one object out, failures with one of `permissionsFailureTypes`.
 *
 * Each may run more than once. `touch`, `delete` and the checks then answer the same; a `create` whose first attempt did
 * happen fails with `alreadyExists`, and a precondition that its own write made untrue with `preconditionFailed`.
 */
export function createPermissionsActivities(permissions: Permissions) {
  return {
    writeRelationships: (request: WriteRequest) => attempt((signal) => permissions.write(request, { signal })),
    deleteRelationships: (request: DeleteRequest) => attempt((signal) => permissions.delete(request, { signal })),
    checkPermission: (request: CheckRequest) => attempt((signal) => permissions.check(request, { signal })),

    /**
     * The first ids, each once; `complete` if there are no others. At most `limit`, which is 1,000 by default and at the
     * most: what an activity returns goes into the workflow's history, where a few megabytes stop everything.
     */
    listResources: ({ limit, ...request }: ResourcesRequest & { limit?: number }) =>
      attempt(async (signal) => {
        const most = accept(listLimit, limit);
        const ids = new Set<string>();
        for await (const id of permissions.resources(request, { signal })) {
          if (ids.size === most && !ids.has(id)) return { ids: [...ids], complete: false };
          ids.add(id);
        }
        return { ids: [...ids], complete: true };
      }),
  };
}

export type PermissionsActivities = ReturnType<typeof createPermissionsActivities>;

/** @throws ApplicationFailure, made by `toFailure` */
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
 * A `PermissionsError` as an `ApplicationFailure` of the same type, with the cause kept; anything else as it is. For an
 * app's own activities as well.
 */
export function toFailure(error: unknown): unknown {
  if (!(error instanceof PermissionsError)) return error;
  const { type, message, retryable } = error;
  return activityFailure({
    type,
    message,
    nonRetryable: !retryable,
    cause: error,
    // A refusal is an answer and need not fill the worker's log. What a person has to mend is to be seen there.
    category: answers.has(type) ? ApplicationFailureCategory.BENIGN : undefined,
  });
}

const { invalidArgument, preconditionFailed, alreadyExists, tokenUnusable } = permissionsFailureTypes;
const answers = new Set<string>([invalidArgument, preconditionFailed, alreadyExists, tokenUnusable]);
