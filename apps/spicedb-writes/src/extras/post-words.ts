import type { PostOutcome } from '../contract.ts';
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
export const isRefused = ({ status }: PostOutcome): boolean =>
  status === 'refused' || status === 'not-found' || status === 'superseded';

/** What both stores and Temporal know of a post. */
export interface PostStatus {
  record?: OnRecord | undefined;
  held: HeldRelationships;
  last?: LastChange | undefined;
  /** What is not as it must be once nobody changes the post. */
  drift?: string | undefined;
}

export function statusInWords(post: string, { record, held, last, drift }: PostStatus): string {
  const row = record?.row;
  const generation = record ? `, generation ${record.generation}` : '';
  const authors = held.authors.map((author) => `author ${author}`);
  const fences = held.fences.map((fence) => `fence ${fence}`);
  const temporal = last
    ? `${last.type} is ${last.execution.toLowerCase()} as ${last.status ?? 'not begun'}`
    : 'nothing';
  return [
    `${post}: ${drift ? `the stores disagree: it ${drift}` : row ? `belongs to ${row.author}` : 'is deleted'}`,
    `  PostgreSQL  ${row ? `${row.status}, author ${row.author}` : 'no row'}${generation}`,
    `  SpiceDB     ${[...authors, ...fences].join(', ') || 'nothing'}`,
    `  Temporal    ${temporal}`,
  ].join('\n');
}

export function findingInWords(finding: Finding): string {
  const { post, drift, action } = finding;
  const words = action === 'needs attention' ? `needs attention: ${finding.why}` : action;
  return `${post} ${drift}: ${words}`;
}
