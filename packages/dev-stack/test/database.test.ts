import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DatabaseSpec, provisionDatabase } from '../src/database.ts';
import { joinStack, type Stack } from '../src/stack.ts';

let stack: Stack;
let adminUrl: string;
let folder: string;
let serial = 0;

beforeAll(async () => {
  // Never a server that somebody has set for something else: this makes databases and roles.
  delete process.env.DATABASE_URL;
  stack = await joinStack({ need: ['postgres'], stack: 'test-database', ephemeral: true, ignoreEnvironment: true });
  adminUrl = stack.postgres?.url ?? '';
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  await migration('0001_things', 'CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, name text NOT NULL);');
}, 60_000);

afterAll(() => Promise.all([stack?.leave(), rm(folder, { recursive: true, force: true })]));

const migration = (name: string, sql: string, dir = folder) => writeFile(join(dir, `${name}.sql`), sql);

/** A database and two schemas whose names no other test uses. */
function freshSpec(migrations = folder): DatabaseSpec {
  const database = `provision_${++serial}`;
  const schema = (name: string) => ({
    schema: name,
    role: `${database}_${name}`,
    password: `${name}-secret`,
    migrations,
  });
  return { adminUrl, database, schemas: [schema('east'), schema('west')] };
}

async function query(url: string | undefined, sql: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client.query(sql).finally(() => client.end());
}

const within = (database: string) => Object.assign(new URL(adminUrl), { pathname: `/${database}` }).href;

describe('a role', () => {
  let urls: Record<string, string>;
  let spec: DatabaseSpec;
  let east: string | undefined;

  beforeAll(async () => {
    spec = freshSpec();
    urls = await provisionDatabase(spec);
    east = urls[`${spec.database}_east`];
  });

  it('reads and writes rows of its own schema, found without naming it', async () => {
    await query(east, `INSERT INTO things (name) VALUES ('one'); UPDATE things SET name = 'two'`);
    expect((await query(east, 'SELECT name FROM east.things')).rows).toEqual([{ name: 'two' }]);
    expect((await query(urls[`${spec.database}_west`], 'SELECT name FROM things')).rows).toEqual([]);
    await query(east, 'DELETE FROM things');
  });

  it.each([
    { what: "see another one's rows", sql: 'SELECT * FROM west.things' },
    { what: 'see which migrations ran', sql: 'SELECT * FROM pgmigrations' },
    { what: 'create a table', sql: 'CREATE TABLE mine ()' },
    { what: 'create a table elsewhere', sql: 'CREATE TABLE public.mine ()' },
    { what: 'create a temporary table', sql: 'CREATE TEMPORARY TABLE mine ()' },
    { what: 'create a schema', sql: 'CREATE SCHEMA mine' },
    { what: 'drop its table', sql: 'DROP TABLE things' },
    { what: 'change its table', sql: 'ALTER TABLE things ADD COLUMN more text' },
    { what: 'empty its table at once', sql: 'TRUNCATE things' },
    { what: 'become the owner', sql: 'SET ROLE provision_1_owner' },
  ])('cannot $what', async ({ sql }) => {
    await expect(query(east, sql)).rejects.toMatchObject({ code: '42501' });
    const tables = `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
      WHERE table_schema IN ('east', 'west', 'public', 'mine') ORDER BY 1`;
    const names = (await query(within(spec.database), tables)).rows.map((row) => row.name);
    expect(names).toEqual(['east.pgmigrations', 'east.things', 'west.pgmigrations', 'west.things']);
  });

  it('cannot enter the database of another app', async () => {
    const other = freshSpec();
    await provisionDatabase(other);
    const intruder = Object.assign(new URL(east ?? ''), { pathname: `/${other.database}` }).href;
    await expect(query(intruder, 'SELECT 1')).rejects.toMatchObject({ code: '42501' });
  });
});

describe('again', () => {
  it('takes less than 150 ms when nothing is to do', async () => {
    const spec = freshSpec();
    const urls = await provisionDatabase(spec);
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      expect(await provisionDatabase(spec)).toEqual(urls);
      times.push(performance.now() - start);
    }
    expect(Math.min(...times)).toBeLessThan(150);
  });

  it('is safe for 4 at once', async () => {
    const spec = freshSpec();
    const all = await Promise.all([1, 2, 3, 4].map(() => provisionDatabase(spec)));
    for (const urls of all) expect(urls).toEqual(all[0]);
    expect((await query(all[0]?.[`${spec.database}_east`], 'SELECT * FROM things')).rows).toEqual([]);
  });

  it('changes a password, and the old one is no longer good', async () => {
    const spec = freshSpec();
    const before = await provisionDatabase(spec);
    const schemas = spec.schemas.map((each) => ({ ...each, password: `${each.password}-2?@/` }));
    const after = await provisionDatabase({ ...spec, schemas });
    for (const { role } of schemas) {
      expect((await query(after[role], 'SELECT current_user AS name')).rows).toEqual([{ name: role }]);
      await expect(query(before[role], 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    }
  });

  it('prepares a database that was dropped, and a schema that was dropped', async () => {
    const spec = freshSpec();
    await provisionDatabase(spec);
    await query(adminUrl, `DROP DATABASE ${spec.database}`);
    const east = (await provisionDatabase(spec))[`${spec.database}_east`];
    await query(within(spec.database), 'DROP SCHEMA "east" CASCADE');
    await provisionDatabase(spec);
    expect((await query(east, 'SELECT * FROM things')).rows).toEqual([]);
  });

  it('runs a new migration, keeps rows and rights, and refuses an edited one', async () => {
    const dir = await mkdtemp(join(folder, 'more-'));
    const both = freshSpec(dir);
    const spec = { ...both, schemas: both.schemas.slice(0, 1) };
    const role = `${spec.database}_east`;
    await migration('0001_first', 'CREATE TABLE first (id integer);', dir);
    const urls = await provisionDatabase(spec);
    await query(urls[role], 'INSERT INTO first VALUES (1)');
    const restrict = `REVOKE DELETE ON first FROM "${role}";`;
    await migration('0002_second', `CREATE TABLE second (id integer); ${restrict}`, dir);
    await provisionDatabase(spec);
    const joined = 'SELECT first.id FROM first LEFT JOIN second USING (id)';
    expect((await query(urls[role], joined)).rows).toEqual([{ id: 1 }]);
    await migration('0003_third', 'CREATE TABLE third (id integer);', dir);
    await provisionDatabase(spec);
    await expect(query(urls[role], 'DELETE FROM first')).rejects.toMatchObject({ code: '42501' });
    await migration('0001_first', 'CREATE TABLE first (id bigint);', dir);
    const edited = provisionDatabase(spec);
    const message = 'The migration 0001_first.sql was edited after it had run in schema east.';
    await expect(edited).rejects.toMatchObject({ name: 'OperatorError', message });
  });

  it('leaves nothing of a migration that fails, and says which statement it was', async () => {
    const dir = await mkdtemp(join(folder, 'more-'));
    const spec = freshSpec(dir);
    await migration('0001_half', 'CREATE TABLE half (id integer); CREATE TABLE other (id nonsense);', dir);
    await expect(provisionDatabase(spec)).rejects.toThrow(
      /schema east failed.*"nonsense" does not exist[\s\S]*\^\^\^\^/,
    );
    expect((await query(within(spec.database), `SELECT to_regclass('east.half') AS half`)).rows).toEqual([
      { half: null },
    ]);
    await migration('0001_half', 'CREATE TABLE half (id integer);', dir);
    const urls = await provisionDatabase(spec);
    expect((await query(urls[`${spec.database}_east`], 'SELECT * FROM half')).rows).toEqual([]);
  });
});

it('sends no password to the server', async () => {
  const spec = freshSpec();
  const sent: string[] = [];
  const original = pg.Client.prototype.query;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    sent.push(JSON.stringify(args.slice(0, 2)));
    return Reflect.apply(original, this, args);
  });
  await provisionDatabase(spec);
  spy.mockRestore();
  expect(sent.filter((statement) => statement.includes('SCRAM-SHA-256$4096'))).toHaveLength(2);
  expect(sent.filter((statement) => statement.includes('secret'))).toEqual([]);
});

describe('the role of the database URL', () => {
  const asRole = async (name: string, options: string) => {
    await query(adminUrl, `CREATE ROLE ${name} LOGIN PASSWORD 'pw' ${options}`);
    return Object.assign(new URL(adminUrl), { username: name, password: 'pw' }).href;
  };

  it('need not be a superuser', async () => {
    const spec = { ...freshSpec(), adminUrl: await asRole('creator', 'CREATEDB CREATEROLE') };
    const urls = await provisionDatabase(spec);
    expect(await provisionDatabase(spec)).toEqual(urls);
    const east = urls[`${spec.database}_east`];
    await query(east, `INSERT INTO things (name) VALUES ('one')`);
    await expect(query(east, 'SELECT * FROM west.things')).rejects.toMatchObject({ code: '42501' });
    const schemas = spec.schemas.map((each) => ({ ...each, password: 'other' }));
    await provisionDatabase({ ...spec, schemas });
    expect((await query(within(spec.database), 'SELECT name FROM east.things')).rows).toEqual([{ name: 'one' }]);
  });

  it('is told what it lacks, before anything is changed', async () => {
    const spec = { ...freshSpec(), adminUrl: await asRole('mere_mortal', '') };
    await expect(provisionDatabase(spec)).rejects.toMatchObject({
      name: 'OperatorError',
      message:
        'The role mere_mortal of the database URL may not prepare the database. It has no CREATEDB and no CREATEROLE.',
      nextStep: 'Let a superuser run: ALTER ROLE "mere_mortal" CREATEDB CREATEROLE; Or use a URL of a superuser.',
    });
    const made = `SELECT rolname FROM pg_roles WHERE rolname LIKE '${spec.database}%'`;
    expect((await query(adminUrl, made)).rows).toEqual([]);
  });

  it('is told what PostgreSQL says when the roles belong to somebody else', async () => {
    const spec = freshSpec();
    await provisionDatabase(spec);
    const schemas = spec.schemas.map((each) => ({ ...each, password: 'stolen' }));
    const theft = provisionDatabase({ ...spec, schemas, adminUrl: await asRole('thief', 'CREATEDB CREATEROLE') });
    await expect(theft).rejects.toMatchObject({
      name: 'OperatorError',
      message: expect.stringMatching(
        /^The role thief of the database URL may not prepare the database\. PostgreSQL says: /,
      ),
    });
  });

  it('cannot make a superuser into an app', async () => {
    const { username } = new URL(adminUrl);
    const [first] = freshSpec().schemas;
    const spec = {
      ...freshSpec(),
      schemas: [{ ...first, schema: 'east', role: username, password: 'x', migrations: folder }],
    };
    await expect(provisionDatabase(spec)).rejects.toMatchObject({
      name: 'OperatorError',
      message: `The role ${username} is there already, with more rights than an app may have.`,
    });
    expect((await query(adminUrl, 'SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});

it('says where it looked when there is no server, without the password', async () => {
  const spec = { ...freshSpec(), adminUrl: 'postgres://somebody:hidden@127.0.0.1:1/postgres' };
  const message =
    'No connection to PostgreSQL at 127.0.0.1:1, database postgres, as somebody: connect ECONNREFUSED 127.0.0.1:1';
  await expect(provisionDatabase(spec)).rejects.toMatchObject({ name: 'OperatorError', message });
});
