import { OperatorError } from '@repo/worker-kit';
import pg from 'pg';

/** What an app calls its database. */
export interface DatabaseWords {
  /** What is missing where it was never migrated, as a sentence: `There is no ledger in that database.` */
  missing: string;
  /** The environment variables that say where it is, as words: `DATABASE_URL`. */
  variables: string;
  /** The command that makes it, in full. */
  migrate: string;
}

/**
 * What an operator can mend about PostgreSQL, with the next step; anything else as it is.
 * @param isUnavailable whether the error says that there was no answer; `cause` is what PostgreSQL or the network has said
 */
export function databaseTrouble(error: unknown, isUnavailable: boolean, words: DatabaseWords): unknown {
  const { missing, variables, migrate } = words;
  const cause = isUnavailable ? (error as Error).cause : error;
  const code = cause instanceof pg.DatabaseError ? (cause.code ?? '') : '';
  const operator = (message: string, nextStep: string) => new OperatorError(message, nextStep, { cause: error });
  if (notMigrated.has(code)) return operator(missing, `Run: ${migrate}`);
  const why = cause instanceof Error && cause.message ? ` (${cause.message})` : '';
  if (code.startsWith(notAuthorised)) {
    return operator(`PostgreSQL refuses${why}.`, `Check ${variables}. If a role is not there yet, run: ${migrate}`);
  }
  if (!isUnavailable) return error;
  return operator(
    `PostgreSQL does not answer${why}.`,
    `Start it, or say with ${variables} where it is; then run this again.`,
  );
}

/** SQLSTATE: a table, a function, a schema or the database itself is not there. */
const notMigrated = new Set(['42P01', '42883', '3F000', '3D000']);
/** The class of SQLSTATE for an unknown role or a wrong password. */
const notAuthorised = '28';
