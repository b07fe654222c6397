import { createHash } from 'node:crypto';
import pg from 'pg';
import { migrate, readMigrations } from './database-migrations.ts';
import { OperatorError } from './operator-error.ts';
import { scramVerifier } from './scram-verifier.ts';

export interface SchemaSpec {
  schema: string;
  /** Logs in and works in this schema. Roles belong to the server: in two databases, one name must have one password. */
  role: string;
  /** Printable ASCII. */
  password: string;
  /** A folder of SQL files, run in this schema by node-pg-migrate in the order of their names. */
  migrations: string;
}

export interface DatabaseSpec {
  /** A superuser's, or a role's with CREATEDB and CREATEROLE, on PostgreSQL 15 or newer. */
  adminUrl: string;
  database: string;
  schemas: SchemaSpec[];
}

/**
 * Makes sure that the database, its schemas, roles and tables are there. Returns the connection URL of each role, by its name.
 * Can be called again, and by two processes at once; when nothing is to do it takes about 40 ms.
 *
 * Each role may read and write the rows of its own schema, and nothing else in this database. Schemas and tables belong to the role
 * `<database>_owner`, which cannot log in. The server gets the SCRAM verifier of a password, so that none reaches its log.
 * @throws OperatorError if there is no server or an old one, if `adminUrl` lacks a right, if a migration was edited after it ran.
 */
export async function provisionDatabase(spec: DatabaseSpec): Promise<Record<string, string>> {
  // The error of the URL class would show the text, and the password in it.
  if (!URL.canParse(spec.adminUrl)) {
    throw new OperatorError(
      'The database URL cannot be read.',
      'It looks like postgres://user:password@host:5432/postgres',
    );
  }
  const urls = Object.fromEntries(spec.schemas.map(({ role, password }) => [role, urlOf(spec, role, password)]));
  const files = await Promise.all(spec.schemas.map(({ migrations }) => readMigrations(migrations)));
  const wanted = JSON.stringify([
    layoutVersion,
    spec.schemas.map(({ schema, role }, index) => [schema, role, files[index]]),
  ]);
  const fingerprint = `provisioned ${createHash('sha256').update(wanted).digest('hex')}`;

  await withClient(spec.adminUrl, async (admin) => {
    const isReady = async () =>
      (await commentOn(admin, spec.database)) === fingerprint &&
      (await Promise.all(spec.schemas.map(({ schema, role }) => canWork(urls[role] ?? '', schema)))).every(Boolean);
    if (await isReady()) return;
    // One lock for all databases, which may have roles in common. It ends with its session, even when this process dies.
    await admin.query(`SET lock_timeout = '60s'; SELECT pg_advisory_lock(hashtext('provisionDatabase'))`);
    if (await isReady()) return;
    await prepareServer(admin, spec);
    await withClient(urlOf(spec), async (client) => {
      for (const [index, each] of spec.schemas.entries()) {
        await prepareSchema(client, spec.database, each);
        await client.query(`SET ROLE ${ownerOf(spec.database)}`);
        await migrate(client, each.schema, each.migrations, files[index] ?? []);
        await client.query(`REVOKE ALL ON ${id(each.schema)}.pgmigrations FROM ${id(each.role)}; RESET ROLE`);
      }
    });
    await admin.query(`COMMENT ON DATABASE ${id(spec.database)} IS ${text(fingerprint)}`);
  });
  return urls;
}

/**
 * {@link provisionDatabase} for one schema, whose role and database are the ones that `url` names.
 * @param url what the application connects with: postgres://role:password@host:5432/database
 * @param adminUrl of somebody on the same server who may create both
 * @throws OperatorError also if the two do not name the same server
 */
export async function provisionFor(
  url: string,
  adminUrl: string,
  { schema, migrations }: Pick<SchemaSpec, 'schema' | 'migrations'>,
): Promise<void> {
  if (!URL.canParse(url) || !URL.canParse(adminUrl) || new URL(url).host !== new URL(adminUrl).host) {
    throw new OperatorError(
      'DATABASE_URL and POSTGRES_ADMIN_URL do not name the same PostgreSQL.',
      'Both look like postgres://user:password@host:5432/name; user, password and name differ, host and port do not.',
    );
  }
  const { username, password, pathname } = new URL(url);
  const [role = '', secret = '', database = ''] = [username, password, pathname.slice(1)].map(decodeURIComponent);
  await provisionDatabase({ adminUrl, database, schemas: [{ schema, migrations, role, password: secret }] });
}

/** Raise it when the statements below change, and every database is provisioned anew. */
const layoutVersion = 1;

const id = pg.escapeIdentifier;
const text = pg.escapeLiteral;
const ownerOf = (database: string) => id(`${database}_owner`);

function urlOf({ adminUrl, database }: DatabaseSpec, role?: string, password?: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  if (role !== undefined) url.username = encodeURIComponent(role);
  if (password !== undefined) url.password = encodeURIComponent(password);
  return url.href;
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // When the server stops, the running query fails, and that is enough; unheard, the event would end this process.
  client.on('error', () => {});
  const { host, port, user, database } = client;
  try {
    await client.connect();
  } catch (cause) {
    const where = `${host}:${port}, database ${database}, as ${user}`;
    const message = `No connection to PostgreSQL at ${where}: ${(cause as Error).message}`;
    throw new OperatorError(message, 'Check that it is running, and that the URL is right.', { cause });
  }
  try {
    return await work(client);
  } catch (error) {
    throw isDenied(error) ? lacksRights(user ?? '', `PostgreSQL says: ${error.message}`) : error;
  } finally {
    await client.end();
  }
}

/** The comment on a database can be read without connecting to it, and goes when the database goes. */
async function commentOn(admin: pg.Client, database: string): Promise<string | undefined> {
  const select = `SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1`;
  return (await admin.query(select, [database])).rows[0]?.comment;
}

/** True if the role logs in with its password and finds its schema. */
function canWork(url: string, schema: string): Promise<boolean> {
  const find = (client: pg.Client) => client.query('SELECT current_schema() = $1 AS found', [schema]);
  return withClient(url, find).then(
    ({ rows }) => rows[0].found === true,
    () => false,
  );
}

/** The database itself and all roles. */
async function prepareServer(admin: pg.Client, spec: DatabaseSpec): Promise<void> {
  const logins = spec.schemas.map(({ role }) => role);
  const roles = [`${spec.database}_owner`, ...logins];
  const { rows: databases } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [spec.database]);
  const { rows: existing } = await admin.query(
    `SELECT rolname AS name, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls AS mighty
     FROM pg_roles WHERE rolname = ANY($1)`,
    [roles],
  );
  const absent = roles.filter((role) => !existing.some(({ name }) => name === role));
  const mighty = existing.find((role) => role.mighty);
  if (mighty) {
    const message = `The role ${mighty.name} is there already, with more rights than an app may have.`;
    throw new OperatorError(message, 'Use another name, or drop that role.');
  }
  const isSuperuser = await checkRights(admin, databases.length === 0, absent.length > 0);

  for (const role of absent) await admin.query(`CREATE ROLE ${id(role)}`);
  for (const { role, password } of spec.schemas) {
    await admin.query(`ALTER ROLE ${id(role)} LOGIN PASSWORD ${text(scramVerifier(password))}`);
  }
  // Only a member of the owner, or a superuser, may create something in its name.
  if (!isSuperuser) await admin.query(`GRANT ${ownerOf(spec.database)} TO CURRENT_USER`);
  const database = id(spec.database);
  // template1, the default, cannot be copied while somebody is connected to it.
  if (databases.length === 0) await admin.query(`CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'UTF8'`);
  await admin.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
  await admin.query(`GRANT CONNECT ON DATABASE ${database} TO ${logins.map(id).join(', ')}`);
}

/** True for a superuser. Says at once all that is missing, before anything is changed. */
async function checkRights(admin: pg.Client, createsDatabase: boolean, createsRoles: boolean): Promise<boolean> {
  const { rows } = await admin.query(
    `SELECT rolname AS name, rolsuper AS super, rolcreatedb AS "createDb", rolcreaterole AS "createRole",
       current_setting('server_version') AS version, current_setting('server_version_num')::int < 150000 AS "isOld"
     FROM pg_roles WHERE rolname = current_user`,
  );
  const { name, super: isSuperuser, createDb, createRole, version, isOld } = rows[0];
  if (isOld) throw new OperatorError(`PostgreSQL ${version} is too old.`, 'Use version 15 or newer.');
  const missing = [];
  if (createsDatabase && !createDb) missing.push('CREATEDB');
  if (createsRoles && !createRole) missing.push('CREATEROLE');
  if (!isSuperuser && missing.length > 0) throw lacksRights(name, `It has no ${missing.join(' and no ')}.`, missing);
  return isSuperuser;
}

/** The schema, and what its role may do in it. */
async function prepareSchema(client: pg.Client, database: string, { schema, role }: SchemaSpec): Promise<void> {
  const rows = 'SELECT, INSERT, UPDATE, DELETE';
  const byOwner = `ALTER DEFAULT PRIVILEGES FOR ROLE ${ownerOf(database)} IN SCHEMA ${id(schema)}`;
  await client.query(`
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    CREATE SCHEMA IF NOT EXISTS ${id(schema)} AUTHORIZATION ${ownerOf(database)};
    ALTER ROLE ${id(role)} IN DATABASE ${id(database)} SET search_path = ${id(schema)};
    ${byOwner} GRANT ${rows} ON TABLES TO ${id(role)};
    ${byOwner} GRANT USAGE ON SEQUENCES TO ${id(role)};`);
  const { rows: granted } = await client.query(`SELECT has_schema_privilege($1, $2, 'USAGE') AS usage`, [role, schema]);
  if (granted[0].usage) return;
  // A new role for tables that may be there already. Never again after that: a migration may have taken a right away.
  await client.query(`
    GRANT USAGE ON SCHEMA ${id(schema)} TO ${id(role)};
    GRANT ${rows} ON ALL TABLES IN SCHEMA ${id(schema)} TO ${id(role)};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${id(schema)} TO ${id(role)};`);
}

const isDenied = (error: unknown): error is Error => error instanceof pg.DatabaseError && error.code === '42501';

function lacksRights(role: string, why: string, rights = ['CREATEDB', 'CREATEROLE']): OperatorError {
  const grant = `ALTER ROLE ${id(role)} ${rights.join(' ')};`;
  return new OperatorError(
    `The role ${role} of the database URL may not prepare the database. ${why}`,
    `Let a superuser run: ${grant} Or use a URL of a superuser.`,
  );
}
