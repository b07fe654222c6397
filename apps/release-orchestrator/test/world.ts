import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledProgram, type Child, spawnChild } from '@repo/dev-stack';
import { createPool } from '@repo/operations';
import { postgresUrl, Wire } from '@repo/testing';
import type { Pool } from 'pg';
import { expect, vi } from 'vitest';
import { type Environment, environments, type ReleaseInput, type VersionSet } from '../src/contract.ts';
import { disagreements } from '../src/extras/agreement.ts';
import { provisionRecords } from '../src/extras/local-services.ts';
import { createRecords, type Records } from '../src/services/records.ts';
import { createServices, type Services } from '../src/services.ts';

const hostProgram = fileURLToPath(new URL('../src/extras/environment-host/main.ts', import.meta.url));
const token = 'a token for tests only';

/** Environments in processes of their own, files, and records in a database of a test file's own. */
export class World {
  /** The app's own services; they reach the records by the wire. */
  readonly services: Services;
  /** For programs that are to use the same, past the wire. */
  readonly env: Record<string, string>;
  /** The records, past the wire. */
  readonly records: Records;
  readonly postgres: Wire;
  readonly #pool: Pool;
  readonly #folder: string;
  readonly #hosts: Map<Environment, Child>;
  readonly #name = randomUUID().slice(0, 6);
  #count = 0;

  private constructor(env: Record<string, string>, postgres: Wire, folder: string, hosts: Map<Environment, Child>) {
    this.env = env;
    this.postgres = postgres;
    this.#folder = folder;
    this.#hosts = hosts;
    this.#pool = createPool({ connectionString: env.DATABASE_URL });
    this.records = createRecords(this.#pool);
    const url = new URL(env.DATABASE_URL ?? '');
    url.port = String(postgres.port);
    const { SOURCES_DIR = '', CONFIGS_DIR = '', STORE_DIR = '' } = env;
    const addresses = JSON.parse(env.ENVIRONMENTS ?? '{}');
    this.services = createServices({
      SOURCES_DIR,
      CONFIGS_DIR,
      STORE_DIR,
      ENVIRONMENTS: addresses,
      DATABASE_URL: url.href,
    });
  }

  /**
   * @param options.hosts the environments that there are: all four, unless a file needs fewer and would wait for the others
   * @param options.adminUrl of another PostgreSQL than the one that all files share
   */
  static async create({
    hosts: names = environments,
    adminUrl = postgresUrl(),
  }: {
    hosts?: readonly Environment[] | undefined;
    adminUrl?: string | undefined;
  } = {}): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'releases-'));
    const name = `releases_${randomUUID().slice(0, 8)}`;
    const [DATABASE_URL, hosts] = await Promise.all([
      provisionRecords(adminUrl, async (of) => `secret of ${of}`, name),
      startHosts(folder, names),
    ]);
    const { hostname, port } = new URL(DATABASE_URL);
    const postgres = new Wire(hostname, Number(port));
    await postgres.up();
    const addresses = [...hosts].map(([environment, { message }]) => [
      environment,
      { url: `http://127.0.0.1:${message.listening}`, token },
    ]);
    const places = { SOURCES_DIR: folder, CONFIGS_DIR: join(folder, 'configs'), STORE_DIR: join(folder, 'store') };
    const env = { ...places, DATABASE_URL, ENVIRONMENTS: JSON.stringify(Object.fromEntries(addresses)) };
    return new World(env, postgres, folder, hosts);
  }

  /** A name that no other test has. */
  fresh(what: string): string {
    this.#count += 1;
    return `${what}-${this.#name}-${this.#count}`;
  }

  /** Writes a file below the folder with sources and configs. */
  async write(path: string, content: string): Promise<void> {
    await mkdir(dirname(join(this.#folder, path)), { recursive: true });
    await writeFile(join(this.#folder, path), content);
  }

  /**
   * Makes a deployable, or a new version of one.
   * @param ill the environments in which its page lacks a value, so that it is not healthy there
   */
  async deployable(
    name = this.fresh('web'),
    ill: readonly Environment[] = [],
  ): Promise<{ name: string; source: string }> {
    const source = `sources/${this.fresh(name)}`;
    await this.write(`${source}/index.html`, `<!doctype html><title>${source}</title><p>{{text}}</p>\n`);
    for (const environment of environments) {
      const values = ill.includes(environment) ? { other: 'x' } : { text: `in ${environment}` };
      await this.write(`configs/${environment}/${name}.json`, JSON.stringify(values));
    }
    return { name, source };
  }

  /** Of two new deployables to dev and test, unless told otherwise. */
  async aRelease(changes: Partial<ReleaseInput> = {}): Promise<ReleaseInput> {
    return {
      release: this.fresh('r'),
      deployables: changes.deployables ?? [await this.deployable(), await this.deployable()],
      environments: ['dev', 'test'],
      requestedBy: 'Ada',
      ...changes,
    };
  }

  /** What an environment really serves of these deployables, asked over HTTP; an unhealthy one has its reason. */
  async served(environment: Environment, names: string[]) {
    const host = this.services.environments.of(environment);
    const each = await Promise.all(names.map((name) => host.served(name, AbortSignal.timeout(10_000))));
    return Object.fromEntries(names.map((name, index) => [name, each[index]]));
  }

  /** Expects an environment to serve these versions, well; with an empty set, none of the names. */
  async expectServed(environment: Environment, set: VersionSet): Promise<void> {
    const healthy = Object.entries(set).map(([name, version]) => [name, { ...version, isHealthy: true }]);
    expect(await this.served(environment, Object.keys(set))).toEqual(Object.fromEntries(healthy));
  }

  state(environment: Environment) {
    return this.services.environments.of(environment).state(AbortSignal.timeout(10_000));
  }

  /** @see src/extras/environment-host/faults.ts */
  async faults(environment: Environment, wanted?: { unhealthy?: number; holdActivations?: boolean }) {
    const address = JSON.parse(this.env.ENVIRONMENTS ?? '{}')[environment];
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = wanted ? { method: 'PUT', body: JSON.stringify(wanted) } : {};
    const response = await fetch(`${address.url}/-/faults`, { ...init, headers });
    return (await response.json()) as { held: number };
  }

  /** Resolves when an activation is at the door of an environment that holds them. */
  held(environment: Environment, count = 1): Promise<void> {
    return vi.waitFor(async () => expect((await this.faults(environment)).held).toBe(count), 30_000);
  }

  host(environment: Environment): Child {
    const child = this.#hosts.get(environment);
    if (!child) throw new Error(`no host of ${environment}`);
    return child;
  }

  /** Starts a host again that was killed: on the same port, with what it had. */
  async startHost(environment: Environment): Promise<void> {
    const { listening } = this.host(environment).message;
    this.#hosts.set(environment, await startHost(this.#folder, environment, listening));
  }

  /** In what hosts, records and what is served do not agree; nothing may be. */
  async wrong(): Promise<string[]> {
    const each = [...this.#hosts.keys()].map((name) =>
      disagreements(this.records, this.services.environments.of(name)),
    );
    return (await Promise.all(each)).flat();
  }

  /** Whether anything was ever switched by a workflow, or by its children: how each ended. */
  async switches(operation: string): Promise<string[]> {
    const select =
      'SELECT environment, status FROM deployments WHERE operation LIKE $1 ORDER BY claimed_at, environment';
    const { rows } = await this.#pool.query<Record<string, string>>(select, [`${operation}%`]);
    return rows.map(({ environment, status }) => `${environment} ${status}`);
  }

  async end(): Promise<void> {
    await this.services.close();
    await Promise.all([...this.#hosts.values()].map((child) => child.kill()));
    await Promise.all([this.postgres.down(), this.#pool.end()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function startHosts(folder: string, names: readonly Environment[]): Promise<Map<Environment, Child>> {
  // Made once, before all of them ask for it.
  await bundledProgram(hostProgram);
  const start = async (environment: Environment) => [environment, await startHost(folder, environment)] as const;
  return new Map(await Promise.all(names.map(start)));
}

/** @param port any free one if it is missing */
async function startHost(folder: string, environment: Environment, port = 0): Promise<Child> {
  const own = { ENVIRONMENT: environment, DATA_DIR: join(folder, 'hosts', environment), PORT: String(port) };
  return spawnChild({
    name: environment,
    file: await bundledProgram(hostProgram),
    args: ['--faults'],
    env: { ...own, ENVIRONMENT_TOKEN: token },
    logFile: join(folder, `${environment}.log`),
  });
}
