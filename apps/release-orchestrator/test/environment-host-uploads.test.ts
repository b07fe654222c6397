import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { packArtifact } from '../src/services/artifact.ts';
import { sha256 } from '../src/services/digests.ts';
import { limits } from '../src/services/names.ts';
import { config, go, sharedHost, startHost, version } from './environment-host-harness.ts';
import { type Entry, tarOf } from './environment-host-tars.ts';

const page = { path: 'files/index.html', content: '<p>page' };
const manifest = (files: Record<string, string>): Entry => ({
  path: 'manifest.json',
  content: JSON.stringify({ files }),
});
const ofPage = manifest({ 'index.html': sha256('<p>page') });
const whole = version({ 'index.html': '<p>page' }).archive;

const untouched = sharedHost();

describe('an artifact', () => {
  it('is unpacked beside the others, once', async () => {
    const { host, versions } = await startHost();
    const [one, two] = [version(1), version(2)];
    expect(await host.hasArtifact(one.artifact, go())).toBe(false);
    await Promise.all(
      [one, one, two, one, two].map(({ artifact, archive }) => host.putArtifact(artifact, archive, go())),
    );
    expect((await versions()).sort()).toEqual([one.artifact, two.artifact].sort());
    expect(await host.hasArtifact(one.artifact, go())).toBe(true);
  });

  it('stays where it is once it is there, also while others upload the same', async () => {
    const { host, folder } = await startHost();
    const large = version(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}.txt`, `file ${n}`])));
    const node = async () => (await stat(join(folder, 'versions', large.artifact))).ino;
    const puts = Array.from({ length: 5 }, () => host.putArtifact(large.artifact, large.archive, go()));
    await Promise.race(puts);
    const first = await node();
    await Promise.all(puts);
    await host.putArtifact(large.artifact, large.archive, go());
    expect(await node()).toBe(first);
  });

  it.each<[how: string, archive: Buffer, type: string, message: RegExp]>([
    [
      'a path that leads out',
      tarOf({ path: '../out.txt', content: 'x' }),
      'InvalidArchive',
      /"\.\.\/out\.txt" in the archive is no plain path/,
    ],
    ['a path that leads out later', tarOf({ path: 'files/../../out.txt' }), 'InvalidArchive', /is no plain path/],
    ['an absolute path', tarOf({ path: '/tmp/out.txt' }), 'InvalidArchive', /is no plain path/],
    ['a path of another system', tarOf({ path: 'files\\..\\out.txt' }), 'InvalidArchive', /is no plain path/],
    [
      'a symbolic link',
      tarOf(page, ofPage, { path: 'files/a', type: 'SymbolicLink', linkpath: '/etc/passwd' }),
      'InvalidArchive',
      /"files\/a" in the archive is a SymbolicLink/,
    ],
    ['a hard link', tarOf({ path: 'files/a', type: 'Link', linkpath: '/etc/passwd' }), 'InvalidArchive', /is a Link/],
    ['a device', tarOf({ path: 'files/a', type: 'CharacterDevice' }), 'InvalidArchive', /is a CharacterDevice/],
    ['a folder', tarOf({ path: 'files/', type: 'Directory' }, page, ofPage), 'InvalidArchive', /is a Directory/],
    [
      'a header that renames the next one',
      tarOf({ path: 'x', type: 'ExtendedHeader', content: '19 path=../out.txt\n' }, page),
      'InvalidArchive',
      /is a ExtendedHeader/,
    ],
    ['a file twice', tarOf(page, page, ofPage), 'InvalidArchive', /"files\/index\.html" in the archive is there twice/],
    [
      'times and modes',
      tarOf({ ...page, mode: 0o755, mtime: new Date() }, ofPage),
      'InvalidArchive',
      /not as this project packs/,
    ],
    [
      'something behind its end',
      Buffer.concat([whole, Buffer.from('more')]),
      'InvalidArchive',
      /not as this project packs/,
    ],
    ['a file that is cut off', whole.subarray(0, 600), 'InvalidArchive', /is cut off|not as this project packs/],
    ['nothing', Buffer.alloc(0), 'InvalidArchive', /not as this project packs/],
    ['compressed bytes', gzipSync(whole), 'InvalidArchive', /no header of tar|not as this project packs/],
    ['no manifest', tarOf(page), 'InvalidArchive', /no manifest\.json/],
    [
      'a manifest that is no JSON',
      tarOf(page, { path: 'manifest.json', content: '{' }),
      'InvalidArchive',
      /no manifest\.json, or one that cannot be read/,
    ],
    [
      'a manifest with other bytes',
      tarOf(page, manifest({ 'index.html': sha256('') })),
      'InvalidArchive',
      /another index\.html than its manifest says/,
    ],
    [
      'a manifest with another file',
      tarOf(page, manifest({ 'a.html': sha256('') })),
      'InvalidArchive',
      /lacks files\/a\.html/,
    ],
    [
      'a file that the manifest does not name',
      tarOf(page, { path: 'files/zz', content: '' }, ofPage),
      'InvalidArchive',
      /files\/zz, which its manifest does not name/,
    ],
    [
      'a file outside of its folder',
      tarOf({ path: 'aside.txt' }, page, ofPage),
      'InvalidArchive',
      /aside\.txt, which its manifest/,
    ],
    [
      'more files than a deployable has',
      packArtifact(new Map(Array.from({ length: limits.files + 1 }, (_, n) => [`${n}.txt`, Buffer.alloc(0)]))),
      'TooLarge',
      /holds too much/,
    ],
    [
      'more bytes than a deployable has',
      packArtifact(new Map([['a.txt', Buffer.alloc(limits.bytes + 1)]])),
      'TooLarge',
      /holds too much/,
    ],
    ['a size that it does not have', tarOf({ path: 'files/a', size: 2 ** 33 }), 'TooLarge', /holds too much/],
  ])('is refused with %s in it', async (_, archive, type, message) => {
    const { host, versions, folder } = untouched();
    const before = [await versions(), await readdir(folder)];
    const put = host.putArtifact(sha256(archive), archive, go());
    await expect(put).rejects.toMatchObject({ name: 'Refused', type, message: expect.stringMatching(message) });
    expect([await versions(), await readdir(folder)]).toEqual(before);
  });

  it('is refused under another digest, or under none', async () => {
    const { host, send, versions } = await startHost();
    const { artifact, archive } = version(1);
    const wrong = host.putArtifact(version(2).artifact, archive, go());
    await expect(wrong).rejects.toMatchObject({ type: 'DigestMismatch', message: expect.stringContaining(artifact) });
    expect(await send('PUT', '/-/artifacts/..%2f..%2fout', archive)).toMatchObject({
      status: 422,
      body: { error: { type: 'DigestMismatch' } },
    });
    expect(await versions()).toEqual([]);
  });

  it('is refused if it is too large, also where nobody says how large it is', async () => {
    const { host, url, token, versions } = await startHost();
    const huge = Buffer.alloc(limits.archiveBytes + 1);
    await expect(host.putArtifact(sha256(huge), huge, go())).rejects.toMatchObject({ type: 'TooLarge' });
    const headers = { authorization: `Bearer ${token}` };
    const pieces = new Blob([huge]).stream();
    const sent = fetch(`${url}/-/artifacts/${sha256(huge)}`, {
      method: 'PUT',
      body: pieces,
      duplex: 'half',
      headers,
      signal: go(),
    });
    // The host answers before it has heard all, and may hang up then.
    expect(await sent.then(({ status }) => status, String)).toEqual(
      expect.toSatisfy((end) => end === 413 || /fetch failed/.test(end)),
    );
    expect(await versions()).toEqual([]);
  });
});

describe('a configuration', () => {
  it('is kept by its hash', async () => {
    const { host } = await startHost();
    expect(await host.hasConfig(config().hash, go())).toBe(false);
    await host.putConfig(config(), go());
    await host.putConfig(config(), go());
    expect(await host.hasConfig(config().hash, go())).toBe(true);
  });

  it.each([
    ['another hash', sha256('x'), '{"text":"a"}', 'DigestMismatch', undefined],
    ['no JSON', sha256('x'), '{"text":', 'InvalidConfig', 'values'],
    ['something else than text', sha256('x'), '{"text":{}}', 'InvalidConfig', 'values.text'],
    ['too much', sha256('x'), JSON.stringify({ text: 'x'.repeat(limits.configBytes) }), 'TooLarge', 'body'],
  ])('is refused with %s', async (_, hash, text, type, field) => {
    const { send, folder } = untouched();
    expect(await send('PUT', `/-/configs/${hash}`, text)).toMatchObject({
      body: { error: { type, ...(field && { field }) } },
    });
    expect(await readdir(join(folder, 'configs'))).toEqual([]);
  });
});
