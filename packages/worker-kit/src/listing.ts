import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { z } from 'zod';
import type { searchAttributes } from './search-attributes.ts';

/** For the doors, where all of it is text: which workflows are listed, and how many. An app adds its own fields. */
export const listFields = <const Status extends string>(statuses: readonly Status[]) => ({
  status: z.enum(statuses, `must be one of ${statuses.join(', ')}`).optional(),
  startedBy: attributeField.optional(),
  limit: z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(1_000, 'must be at most 1000')
    .default(50),
});

/** The value of a search attribute, as people type it. */
export const attributeField = z
  .string()
  .max(100, 'must have at most 100 characters')
  // Temporal on SQLite does not find what has one in it.
  .regex(/^[^"'\\]*$/, 'must not contain quotes or backslashes');

/** One workflow as a list shows it; all of its runs that continued as new are one. */
export interface Listed {
  /** The workflow's id, without what comes before the first colon. */
  name: string;
  /** By the name of the search attribute; undefined for what no worker has set yet. */
  attributes: Record<(typeof searchAttributes)[number], string | undefined>;
  /** Temporal's own word: RUNNING, COMPLETED, TERMINATED … */
  execution: string;
  /** Its last run, ISO 8601 in UTC. */
  started: string;
}

export interface Listing {
  workflowType: string;
  /** What the search attributes have to be; undefined for any. */
  where: Partial<Record<(typeof searchAttributes)[number], string | undefined>>;
  limit: number;
}

/**
 * Workflows of a type, in Temporal's order: open ones first, by their start, then closed ones by their end. The list lags
 * behind by some moments: it is for people, not for decisions.
 */
export async function newest(client: Client, { workflowType, where, limit }: Listing): Promise<Listed[]> {
  // `Status` is a keyword of SQL, hence the backticks.
  const conditions = Object.entries(where)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `\`${name}\` = ${JSON.stringify(value)}`);
  const query = [`\`WorkflowType\` = "${workflowType}"`, '`ExecutionStatus` != "ContinuedAsNew"', ...conditions];
  const found: Listed[] = [];
  for await (const one of client.workflow.list({ query: query.join(' AND '), pageSize: Math.min(limit, 500) })) {
    const { Status, StartedBy, Plan } = keys;
    const { typedSearchAttributes: all } = one;
    found.push({
      name: one.workflowId.slice(one.workflowId.indexOf(':') + 1),
      attributes: { Status: all.get(Status), StartedBy: all.get(StartedBy), Plan: all.get(Plan) },
      execution: one.status.name,
      started: one.startTime.toISOString(),
    });
    if (found.length >= limit) break;
  }
  return found;
}

const keys = {
  Status: defineSearchAttributeKey('Status', 'KEYWORD'),
  StartedBy: defineSearchAttributeKey('StartedBy', 'KEYWORD'),
  Plan: defineSearchAttributeKey('Plan', 'KEYWORD'),
};
