import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { OperatorError } from './operator-error.ts';

export interface MigrationFile {
  /** Without `.sql`, as node-pg-migrate records it. */
  name: string;
  sha256: string;
}

export async function readMigrations(folder: string): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(folder, name));
      return { name: name.slice(0, -'.sql'.length), sha256: createHash('sha256').update(content).digest('hex') };
    }),
  );
}

/**
 * Runs in one transaction what has not run yet in `schema`; `client` must be allowed to create tables there.
 * @throws OperatorError if a file was edited after it had run, and Error with the statement's position if one fails.
 */
export async function migrate(client: pg.Client, schema: string, dir: string, files: MigrationFile[]): Promise<void> {
  const table = `${pg.escapeIdentifier(schema)}.pgmigrations`;
  await refuseEdited(client, schema, table, files);
  const problems: string[] = [];
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: (line: string) => problems.push(line) };
  const where = { schema, migrationsTable: 'pgmigrations', dir, ignorePattern: '(?!.*\\.sql$).*' };
  // Hardly ever needed, and slow to load.
  const { runner } = await import('node-pg-migrate');
  // Whoever calls this holds a lock already, and node-pg-migrate's own would fail instead of waiting.
  await runner({
    dbClient: client,
    ...where,
    direction: 'up',
    singleTransaction: true,
    noLock: true,
    logger: quiet,
  }).catch((cause: unknown) => {
    throw new Error([`A migration of schema ${schema} failed: ${cause}`, ...problems].join('\n'), { cause });
  });
  await client.query(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS sha256 text`);
  for (const { name, sha256 } of files) {
    await client.query(`UPDATE ${table} SET sha256 = $2 WHERE name = $1 AND sha256 IS NULL`, [name, sha256]);
  }
}

/** node-pg-migrate knows names only: without this, an edit would leave the tables as they are, silently. */
async function refuseEdited(client: pg.Client, schema: string, table: string, files: MigrationFile[]): Promise<void> {
  const { rows: found } = await client.query('SELECT to_regclass($1) AS table', [table]);
  if (!found[0]?.table) return;
  const { rows } = await client.query(`SELECT name, to_jsonb(m) ->> 'sha256' AS sha256 FROM ${table} AS m`);
  const hashes = new Map(files.map(({ name, sha256 }) => [name, sha256]));
  const edited = rows.find(({ name, sha256 }) => sha256 !== null && hashes.has(name) && hashes.get(name) !== sha256);
  if (!edited) return;
  throw new OperatorError(
    `The migration ${edited.name}.sql was edited after it had run in schema ${schema}.`,
    'Put the change into a new migration. If the data may go: pnpm stack reset',
  );
}
