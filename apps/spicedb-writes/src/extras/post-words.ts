import { CancelledFailure, TerminatedFailure, type WorkflowFailedError } from '@temporalio/client';
import type { PostOutcome, PostState } from '../contract.ts';
import type { LastChange } from './posts.ts';
import type { Finding } from './reconcile.ts';
import type { HeldRelationships, OnRecord } from './reconcile-stores.ts';

/** What the commands print for people. */

export function outcomeInWords(outcome: PostOutcome): string {
  const { post } = outcome;
  switch (outcome.status) {
    case 'written':
      return `${outcome.author} is the author of ${post}${outcome.already ? ', as before: nothing was written' : ''}.`;
    case 'transferred':
      return outcome.already
        ? `${post} belongs to ${outcome.to} already: nothing was written.`
        : `${post} belongs to ${outcome.to}, and not to ${outcome.from} any more.`;
    case 'deleted':
      return `${post} is deleted.`;
    case 'mended':
      return `Both stores agree about ${post} again.`;
    case 'consistent':
      return `Both stores agree about ${post}: nothing was written.`;
    case 'refused':
      return `Refused: ${outcome.reason.message}.`;
    case 'not-found':
      return `There is no post ${post}.`;
    case 'superseded':
      return `Somebody else has changed ${post} meanwhile: nothing of this change is left.`;
  }
}

/** What did not become what was asked for. */
export const isRefused = ({ status }: PostOutcome): boolean => status === 'refused' || status === 'superseded';

/** How a change ended that has no outcome: somebody has ended it from outside. */
export function endInWords({ cause }: WorkflowFailedError): string {
  if (cause instanceof TerminatedFailure) return 'was terminated';
  if (cause instanceof CancelledFailure) return 'was cancelled';
  return `failed: ${cause?.message}`;
}

/** What both stores and Temporal know of a post. */
export interface PostStatus {
  record?: OnRecord | undefined;
  held: HeldRelationships;
  last?: LastChange | undefined;
  /** What is not as it must be once nobody changes the post. */
  drift?: string | undefined;
  /** What an open change of it keeps failing of. */
  problem?: PostState['problem'];
}

export function statusInWords(post: string, { record, held, last, drift, problem }: PostStatus): string {
  const row = record?.row;
  const generation = record ? `, generation ${record.generation}` : '';
  const authors = held.authors.map((author) => `author ${author}`);
  const fences = held.fences.map((fence) => `fence ${fence}`);
  const temporal = last
    ? `${last.type} is ${last.execution.toLowerCase()} as ${last.status ?? 'not begun'}`
    : 'nothing';
  const gone = record && record.generation > 0 ? 'is deleted' : 'is not there';
  return [
    `${post}: ${drift ? `the stores disagree: it ${drift}` : row ? `belongs to ${row.author}` : gone}`,
    `  PostgreSQL  ${row ? `${row.status}, author ${row.author}` : 'no row'}${generation}`,
    `  SpiceDB     ${[...authors, ...fences].join(', ') || 'nothing'}`,
    `  Temporal    ${temporal}`,
    ...(problem ? [`  Problem     ${problem.step}: ${problem.message}`] : []),
  ].join('\n');
}

export function findingInWords(finding: Finding): string {
  const { post, drift, action } = finding;
  const words = action === 'needs attention' ? `needs attention: ${finding.why}` : action;
  return `${post} ${drift}: ${words}`;
}
