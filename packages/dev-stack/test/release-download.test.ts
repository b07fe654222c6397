import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { programDefinitions } from '../src/programs/definitions.ts';
import { ensureDefinition, ensureProgram } from '../src/programs.ts';

/** A server that plays the publisher of SpiceDB: it has what is put into `files`, and says which of them were asked for. */
let publisher: Server;
let files: Map<string, Buffer>;
let asked: string[];
let folder: string;
const version = programDefinitions.spicedb.pinnedVersion?.() ?? '';
const archive = `spicedb_${version}_${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}.tar.gz`;
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'release-download-'));
  files = new Map();
  asked = [];
  publisher = createServer((request, response) => {
    const name = request.url?.slice('/v/'.length) ?? '';
    asked.push(name);
    const content = files.get(name);
    response.writeHead(content ? 200 : 404).end(content);
  });
  await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('SPICEDB_RELEASE_URL', `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/v`);
  vi.stubEnv('XDG_CACHE_HOME', folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => publisher.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** Puts up an archive with a program that says its version, and a file that goes elsewhere if it is unpacked. */
function publish({ program = 'spicedb' } = {}): Buffer {
  const content = join(folder, 'content');
  mkdirSync(content);
  writeFileSync(join(content, program), `#!/bin/sh\necho spicedb v${version}\n`, { mode: 0o755 });
  writeFileSync(join(content, 'README.md'), 'read me');
  execFileSync('tar', ['-czf', join(folder, archive), '-C', content, program, 'README.md']);
  const packed = readFileSync(join(folder, archive));
  files.set(archive, packed);
  files.set('checksums.txt', Buffer.from(`${'0'.repeat(64)}  other.tar.gz\n${sha256(packed)}  ${archive}\n`));
  return packed;
}

const spicedb = { ...programDefinitions.spicedb, pathNames: [] };
const withoutBuild = (() => {
  const { build: _, ...rest } = spicedb;
  return rest;
})();
const cached = () => readdirSync(join(folder, 'temporal-apps', 'servers')).filter((name) => name.startsWith('spicedb'));

test('a release is downloaded, checked, unpacked and then found in the cache', async () => {
  publish();
  const program = await ensureDefinition(spicedb);
  expect(program).toMatchObject({ source: 'download', version });
  expect(execFileSync(program.path, { encoding: 'utf8' })).toBe(`spicedb v${version}\n`);
  expect(existsSync(join(program.path, '..', 'README.md'))).toBe(false);
  expect(asked).toEqual(['checksums.txt', archive]);
  expect(await ensureDefinition(spicedb)).toMatchObject({ source: 'cache', path: program.path });
  expect(asked).toHaveLength(2);
});

test('an archive that is not the published one is refused, not run, not kept, and not replaced by a build', async () => {
  const packed = publish();
  files.set(archive, Buffer.concat([packed, Buffer.from('!')]));
  await expect(ensureDefinition(spicedb)).rejects.toThrow(/is not what its publisher says it is: its SHA-256 is/);
  expect(cached()).toEqual([]);
});

test.each([
  ['no such release', () => files.clear(), 'checksums.txt answers 404'],
  ['no checksum for this platform', () => files.set('checksums.txt', Buffer.from('')), 'has no checksum for'],
  ['no archive', () => files.delete(archive), `${archive} answers 404`],
  ['no publisher', () => publisher.close(), 'the download failed: fetch failed: connect ECONNREFUSED'],
])('%s: the next way is tried, and the reason is kept', async (_, spoil, reason) => {
  publish();
  spoil();
  await expect(ensureDefinition(withoutBuild)).rejects.toThrow(reason);
  expect(cached()).toEqual([]);
});

test('an archive without the program is no program', async () => {
  publish({ program: 'other' });
  await expect(ensureDefinition(withoutBuild)).rejects.toThrow('the download failed');
  expect(cached()).toEqual([]);
});

test('a path in SPICEDB_PATH needs no download', async () => {
  const mine = join(folder, 'mine');
  writeFileSync(mine, '#!/bin/sh\necho spicedb v1.99.0\n', { mode: 0o755 });
  vi.stubEnv('SPICEDB_PATH', mine);
  expect(await ensureProgram('spicedb')).toEqual({ path: mine, source: 'environment', version: '1.99.0' });
  expect(asked).toEqual([]);
});
