import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { provisionDatabase } from '@repo/dev-stack';
import { postgresUrl, spicedb, Wire } from '@repo/testing';
import { vi } from 'vitest';
import { Stores } from '../src/extras/invariants.ts';
import { createServices, type Services } from '../src/services.ts';

export interface World {
  /** What both stores hold, past the wires. */
  stores: Stores;
  /** The app's own services; they reach the stores by the wires. */
  services: Services;
  postgres: Wire;
  spicedb: Wire;
  /** For processes that are to use the same stores, past the wires. */
  env: { DATABASE_URL: string; SPICEDB_ENDPOINT: string; SPICEDB_TOKEN: string };
  /** Mends both wires; resolves when the services have noticed. */
  mend(): Promise<void>;
  /** A post with an id of its own. */
  aPost(): string;
  /** Where the stores disagree about this file's posts. */
  disagreements(): Promise<string[]>;
  close(): Promise<void>;
}

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));
const schema = new URL('../schema.zed', import.meta.url);

/** Both stores: a database of this file's own, and posts of its own in the SpiceDB that all files share. */
export async function createWorld(): Promise<World> {
  const file = randomUUID().slice(0, 8);
  const urls = await provisionDatabase({
    adminUrl: postgresUrl(),
    database: `spicedb_writes_${file}`,
    schemas: [{ schema: 'posts', role: 'posts_app', password: 'posts of the tests', migrations }],
  });
  const DATABASE_URL = urls.posts_app ?? '';
  const { endpoint, token } = spicedb();
  const env = { DATABASE_URL, SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token };
  const stores = new Stores(env);
  await stores.permissions.writeSchema(await readFile(schema, 'utf8'));

  const database = new URL(DATABASE_URL);
  const wires = {
    postgres: new Wire(database.hostname, Number(database.port)),
    spicedb: new Wire('127.0.0.1', Number(endpoint.split(':')[1])),
  };
  await Promise.all([wires.postgres.up(), wires.spicedb.up()]);
  database.port = String(wires.postgres.port);
  const SPICEDB_ENDPOINT = `localhost:${wires.spicedb.port}`;
  const services = createServices({ ...env, DATABASE_URL: database.href, SPICEDB_ENDPOINT });
  let posts = 0;
  return {
    stores,
    services,
    ...wires,
    env,
    mend: async () => {
      await Promise.all([wires.postgres.up(), wires.spicedb.up()]);
      await vi.waitFor(() => services.permissions.ping(), { timeout: 10_000 });
    },
    aPost: () => `${file}-${++posts}`,
    disagreements: () => stores.disagreements(`${file}-`),
    close: async () => {
      await services.close();
      await Promise.all([wires.postgres.down(), wires.spicedb.down(), stores.close()]);
    },
  };
}
