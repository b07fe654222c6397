import { objectId } from '@repo/permissions/object-id';
import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery } from '@temporalio/workflow';
import { z } from 'zod';

/** What everybody who talks to this app has to know: names, inputs, outcomes, messages, failure types. */

/** A deployment that shares a Temporal namespace with another one sets TASK_QUEUE. */
export const defaultTaskQueue = 'spicedb-writes';

/**
 * One workflow at a time for one post, whatever it does to it. An id of a post has no `:`, so no two posts share one; the
 * author is not part of it, or two authors could change one post at once.
 */
export const postWorkflowId = (post: string): string => `post:${post}`;

/** Why something was refused or failed. Programs branch on these (and `permissionsFailureTypes`), never on a message. */
export const failureTypes = {
  /** The request breaks a rule; nothing was written. */
  invalidPost: 'InvalidPost',
  /** The post belongs to somebody else. */
  postTaken: 'PostTaken',
  /** PostgreSQL does not answer, or not in time. */
  databaseUnavailable: 'DatabaseUnavailable',
} as const;

/** What schema.zed knows. */
export const permissions = ['view', 'edit', 'delete'] as const;
export type Permission = (typeof permissions)[number];

// Shorter than SpiceDB would have it: a post's id is part of a workflow's, which Temporal limits to 1,000 characters.
const id = z.string('must be a string').max(256, 'must have at most 256 characters').pipe(objectId);

const writeFields = z.object({ post: id, author: id });
const transferFields = z.object({ post: id, to: id });
const postFields = z.object({ post: id });

export type WriteRequest = z.infer<typeof writeFields>;
export type TransferRequest = z.infer<typeof transferFields>;
export type PostRequest = z.infer<typeof postFields>;

/** What checks a request. */
export type Schema<Request> = z.ZodType<Request>;

/** For the doors (command line, HTTP): every field checked, unknown fields refused. */
export const atTheDoor = {
  write: writeFields.strict(),
  transfer: transferFields.strict(),
  post: postFields.strict(),
  check: z
    .object({ user: id, post: id, permission: z.enum(permissions, `must be one of ${permissions.join(', ')}`) })
    .strict(),
  list: z.object({ user: id }).strict(),
};

/** For a workflow's first line: the same rules, but a field that only a newer starter knows is ignored. */
export const inTheWorkflow = { write: writeFields, transfer: transferFields, post: postFields };

/**
 * Somebody who does not keep to one workflow a post has changed it in the meantime; what the post is now is theirs.
 * Nothing of this change is visible.
 */
type Superseded = { status: 'superseded'; post: string };
type NotFound = { status: 'not-found'; post: string };

/** `already` if it was so before, and nothing was written. */
export type WriteOutcome =
  | { status: 'written'; post: string; author: string; already: boolean }
  | { status: 'refused'; post: string; reason: { type: string; owner: string; message: string } }
  | Superseded;

export type TransferOutcome =
  | { status: 'transferred'; post: string; from: string; to: string; already: boolean }
  | NotFound
  | Superseded;

export type DeleteOutcome = { status: 'deleted'; post: string } | NotFound | Superseded;

/** `mended` if one of the stores had to be changed. */
export type MendOutcome = { status: 'consistent'; post: string } | { status: 'mended'; post: string } | Superseded;

export type PostOutcome = WriteOutcome | TransferOutcome | DeleteOutcome | MendOutcome;

export interface PostState {
  post: string;
  /** `needs-attention` is not an end: a step keeps failing and is still being tried. `problem` says of what. */
  status: 'changing' | 'needs-attention' | PostOutcome['status'];
  problem?: { step: string; type: string; message: string };
  outcome?: PostOutcome;
}

/** Answers at once with what is known. */
export const stateQuery = defineQuery<PostState>('state');

/** Search attributes, so that changes can be found in the Web UI and with `temporal workflow list --query`. */
export const statusAttribute = defineSearchAttributeKey('Status', 'KEYWORD');
export const startedByAttribute = defineSearchAttributeKey('StartedBy', 'KEYWORD');

/** One change of a post. `author` is whose it is afterwards; a deleted one is nobody's. */
export type Change =
  | { change: 'write' | 'transfer'; post: string; author: string }
  | { change: 'delete'; post: string; author?: undefined };

/** What PostgreSQL holds of a post. */
export interface Seen {
  /** How often the post has been changed; 0 if it never was. It only grows, also when the post is deleted. */
  generation: number;
  /** Missing if there is no such post. */
  row?: { author: string; status: 'pending' | 'transferring' | 'deleting' | 'active'; token?: string };
}

/** What SpiceDB holds of a post. */
export interface Held {
  /** The generation of the last write; 0 if there was none, -1 if somebody has made one by hand: several, or no number. */
  fence: number;
  /** One, or none for a deleted post; any other number was made by hand. */
  authors: string[];
}
