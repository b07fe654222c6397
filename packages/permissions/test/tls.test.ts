import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPermissions, type PermissionsConfig, permissionsFailureTypes as types } from '../src/index.ts';
import { failureOf, schema } from './harness.ts';
import { type SpiceDbServer, startSpiceDb } from './spicedb-server.ts';

let server: SpiceDbServer;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'permissions-tls-'));
  await Promise.all(['server', 'stranger'].map(makeCertificate));
  const args = ['--grpc-tls-cert-path', file('server.pem'), '--grpc-tls-key-path', file('server.key')];
  server = await startSpiceDb({ args });
});
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true });
});

test('a server with a certificate of the named authority is used, and its key is checked there', async () => {
  await using({ SPICEDB_CA_CERT: file('server.pem') }, async (permissions) => {
    await permissions.writeSchema(schema);
    expect(await permissions.readSchema()).toContain('definition document');
  });
  await using({ SPICEDB_CA_CERT: file('server.pem'), SPICEDB_TOKEN: 'wrong' }, async (permissions) => {
    await failureOf(permissions.ping(), types.unauthenticated);
  });
});

test.each([
  ['nobody vouches for', { SPICEDB_TLS: 'on' as const }],
  ['another authority vouches for', () => ({ SPICEDB_CA_CERT: file('stranger.pem') })],
])('a server that %s is not used, and the error says what to set', async (_, config) => {
  await using(typeof config === 'function' ? config() : config, async (permissions) => {
    const error = await failureOf(permissions.ping(), types.unavailable);
    expect(error.message).toMatch(/certificate.*SPICEDB_CA_CERT/);
  });
});

test('a server that wants TLS is not reached in the clear', async () => {
  await using({}, async (permissions) => {
    expect(await failureOf(permissions.ping(), types.unavailable)).toMatchObject({ retryable: true });
  });
});

async function using(
  config: Partial<PermissionsConfig>,
  use: (of: ReturnType<typeof createPermissions>) => Promise<void>,
) {
  const permissions = createPermissions({
    SPICEDB_ENDPOINT: `localhost:${server.port}`,
    SPICEDB_TOKEN: server.token,
    ...config,
  });
  await use(permissions).finally(() => permissions.close());
}

/** A certificate for localhost that is its own authority. */
async function makeCertificate(name: string): Promise<void> {
  const made = await generate([{ name: 'commonName', value: 'spicedb' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  await Promise.all([writeFile(file(`${name}.key`), made.private), writeFile(file(`${name}.pem`), made.cert)]);
}
