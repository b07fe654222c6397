import { chmod, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { list } from 'tar';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Files } from '../src/services/archive.ts';
import { unpackArtifact } from '../src/services/artifact.ts';
import { artifactFolder } from '../src/services/artifact-folder.ts';
import { createBuilder } from '../src/services/builder.ts';
import { byName, sha256 } from '../src/services/digests.ts';
import { limits } from '../src/services/names.ts';
import { sourceDigest } from '../src/services/source.ts';
import { aFolder, write } from './services-folders.ts';

const site = {
  'index.html': '<!doctype html>\n<title>{{greeting}}</title>\n',
  'style.css': 'main {\n  color: red;\n}\n',
  'app.ts': 'const answer: number = 6 * 7;\nconsole.log(answer as unknown);\n',
  'images/dot.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
};

/** A builder with a source `web` and a store of its own. */
async function aBuilder(files: Record<string, string | Uint8Array> = site) {
  const [sources, store] = [await aFolder(), await aFolder()];
  await write(join(sources, 'web'), files);
  const artifacts = artifactFolder(store);
  const builder = createBuilder(sources, artifacts);
  const build = async () => builder.build({ source: 'web', sourceDigest: (await builder.gather('web')).digest });
  const built = async () => unpackArtifact((await build()).artifact, await artifacts.get((await build()).artifact));
  return { sources, store, artifacts, builder, build, built };
}

describe('a source', () => {
  it('is known by the names and contents of its files', async () => {
    const { builder, sources } = await aBuilder({ 'index.html': 'a', 'b.txt': '' });
    const before = await builder.gather('web');
    expect(before).toEqual({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), files: 2, bytes: 1 });
    await utimes(join(sources, 'web/b.txt'), 1, 1);
    await chmod(join(sources, 'web/b.txt'), 0o600);
    expect(await builder.gather('web')).toEqual(before);
    await write(sources, { 'web/b.txt': 'b' });
    expect((await builder.gather('web')).digest).not.toBe(before.digest);
  });

  it('has a digest of its own, whatever its names and contents begin with', () => {
    const part = fc.constantFrom('a', 'b', 'ab', 'a/b', '', 'a\n', '"');
    const files = fc.uniqueArray(fc.tuple(part, part), { maxLength: 4, selector: ([path]) => path });
    const asMap = (all: [string, string][]): Files => new Map(all.map(([path, text]) => [path, Buffer.from(text)]));
    const plain = (all: [string, string][]) => JSON.stringify([...all].sort(byName));
    fc.assert(
      fc.property(files, files, (one, other) => {
        expect(sourceDigest(asMap(one)) === sourceDigest(asMap(other))).toBe(plain(one) === plain(other));
      }),
      { seed: Number(process.env.SEED ?? 1) },
    );
  });

  type Arrange = (web: string, sources: string) => Promise<unknown>;
  const refusals: [what: string, source: string, arrange: Arrange, message: RegExp][] = [
    ['is missing', 'wob', async () => {}, /"wob" is no folder that is there/],
    ['is a file', 'web/index.html', async () => {}, /is no folder that is there/],
    ['lies outside', '../web', async () => {}, /must be the path of a folder below the folder of sources/],
    ['is absolute', '/etc', async () => {}, /must be the path of a folder below the folder of sources/],
    ['has a blank in its path', 'my web', async () => {}, /of plain names/],
    ['has no name', '', async () => {}, /of plain names/],
    ['is a long story', 'w/'.repeat(150), async () => {}, /is longer than 200 characters/],
    [
      'is a link that leads out',
      'out',
      (_, sources) => symlink('/etc', join(sources, 'out')),
      /is a link that leads out/,
    ],
    [
      'is a link to a folder beside the sources, whose name begins with theirs',
      'out',
      async (_, sources) => {
        onTestFinished(() => rm(`${sources}-2`, { recursive: true, force: true }));
        await write(`${sources}-2`, { 'index.html': '' });
        await symlink(`${sources}-2`, join(sources, 'out'));
      },
      /is a link that leads out/,
    ],
    [
      'holds a link',
      'web',
      (web) => symlink('/etc/passwd', join(web, 'passwd')),
      /web: passwd is a link, and not a file/,
    ],
    ['holds a link to a folder', 'web', (web) => symlink('/etc', join(web, 'etc')), /web: etc is a link/],
    ['holds a name with a blank', 'web', (web) => writeFile(join(web, 'a b.txt'), ''), /"a b.txt" is no plain path/],
    ['holds a control character', 'web', (web) => writeFile(join(web, 'a\nb'), ''), /"a\\nb" is no plain path/],
    ['holds a hidden file', 'web', (web) => writeFile(join(web, '.env'), ''), /".env" is no plain path/],
    ['holds a name in other letters', 'web', (web) => writeFile(join(web, 'größe.txt'), ''), /is no plain path/],
    [
      'holds names of one spelling',
      'web',
      (web) => writeFile(join(web, 'Index.html'), ''),
      /are one name where case makes/,
    ],
    [
      'holds what the host answers',
      'web',
      (web) => writeFile(join(web, 'healthz'), ''),
      /"healthz" is a name that the host/,
    ],
    ['has a path that is too long', 'web', (web) => deep(web), /is longer than 95 characters/],
    ['has no page', 'web', (web) => rm(join(web, 'index.html')), /web: has no index.html/],
    ['has too many files', 'web', (web) => many(web), /web: has more than 500 files/],
    [
      'is too large',
      'web',
      (web) => truncate(join(web, 'style.css'), limits.bytes),
      /web: is larger than 8388608 bytes/,
    ],
    ['does not compile', 'web', (web) => writeFile(join(web, 'app.ts'), '\nlet = ;'), /web: app.ts:2: /],
    ['gives a file twice', 'web', (web) => writeFile(join(web, 'app.js'), ''), /app\.ts would be built to app\.js/],
  ];
  const deep = (web: string) => write(web, { [`${'folder/'.repeat(13)}page.html`]: '' });
  const many = (web: string) =>
    write(web, Object.fromEntries(Array.from({ length: limits.files }, (_, n) => [`${n}.txt`, ''])));

  it.each(refusals)('is refused if it %s', async (_, source, arrange, message) => {
    const { sources, store, builder } = await aBuilder();
    await arrange(join(sources, 'web'), sources);
    const build = async () => builder.build({ source, sourceDigest: (await builder.gather(source)).digest });
    await expect(build()).rejects.toMatchObject({
      type: 'InvalidSource',
      field: 'source',
      message: expect.stringMatching(message),
    });
    expect(await readdir(store)).toEqual([]);
  });
});

describe('a build', () => {
  it('copies pages, minifies styles and scripts, and compiles TypeScript', async () => {
    const { built } = await aBuilder();
    const files = await built();
    const text = Object.fromEntries([...files].map(([path, content]) => [path, String(content)]));
    expect(text).toEqual({
      'files/index.html': site['index.html'],
      'files/style.css': 'main{color:red}\n',
      'files/app.js': 'const answer=42;console.log(42);\n',
      'files/images/dot.svg': site['images/dot.svg'],
      'manifest.json': expect.any(String),
    });
    expect(JSON.parse(text['manifest.json'] ?? '')).toEqual({
      files: Object.fromEntries(
        ['app.js', 'images/dot.svg', 'index.html', 'style.css'].map((path) => [
          path,
          sha256(text[`files/${path}`] ?? ''),
        ]),
      ),
    });
  });

  it('gives the same archive wherever and whenever it is made', async () => {
    const first = await aBuilder();
    const { artifact } = await first.build();
    const [mask, zone] = [process.umask(0o077), process.env.TZ];
    process.env.TZ = 'Pacific/Kiritimati';
    onTestFinished(() => {
      process.umask(mask);
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    });
    const second = await aBuilder(Object.fromEntries(Object.entries(site).reverse()));
    for (const path of Object.keys(site)) await utimes(join(second.sources, 'web', path), 1e9, 1e9);
    expect(await second.build()).toEqual({ artifact, isNew: true });
    expect(await second.artifacts.get(artifact)).toEqual(await first.artifacts.get(artifact));
  });

  it('gives an archive that does not change with the versions of what makes it', async () => {
    const { build } = await aBuilder({ 'index.html': '<p>Hello\n' });
    // Written down once. If it changes, hosts are sent again what they have: raise builderVersion, and write down the new one.
    expect((await build()).artifact).toBe('e1eee50298d138f6a92ed242ba0536234052d65fdf9933906c679ee6545caa0e');
  });

  it('can be listed by tar', async () => {
    const { artifacts, build, store } = await aBuilder();
    await artifacts.get((await build()).artifact);
    const file = join(store, 'archives', `${(await build()).artifact}.tar`);
    const entries: string[] = [];
    await list({
      file,
      strict: true,
      onReadEntry: ({ path, mode, mtime }) => entries.push(`${path} ${mode} ${Number(mtime)}`),
    });
    expect(entries).toEqual(
      ['files/app.js', 'files/images/dot.svg', 'files/index.html', 'files/style.css', 'manifest.json'].map(
        (path) => `${path} ${0o644} 0`,
      ),
    );
  });

  it('is not made again if the store has it', async () => {
    const { builder, build, sources } = await aBuilder();
    const { digest } = await builder.gather('web');
    expect(await builder.find(digest)).toBeUndefined();
    const { artifact, isNew } = await build();
    expect(isNew).toBe(true);
    expect(await builder.find(digest)).toBe(artifact);
    await rm(join(sources, 'web'), { recursive: true });
    expect(await builder.build({ source: 'web', sourceDigest: digest })).toEqual({ artifact, isNew: false });
  });

  it('is made again if what the store has is damaged', async () => {
    const { builder, build, artifacts, store } = await aBuilder();
    const { artifact } = await build();
    const file = join(store, 'archives', `${artifact}.tar`);
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(1));
    expect(await builder.find((await builder.gather('web')).digest)).toBeUndefined();
    expect(await build()).toEqual({ artifact, isNew: true });
    expect(await artifacts.get(artifact)).toEqual(whole);
  });

  it('is refused if the source is another one than was gathered', async () => {
    const { builder, sources, store } = await aBuilder();
    const { digest } = await builder.gather('web');
    await write(sources, { 'web/index.html': 'changed' });
    const build = builder.build({ source: 'web', sourceDigest: digest });
    await expect(build).rejects.toMatchObject({ type: 'SourceChanged', field: 'source' });
    expect(await readdir(store)).toEqual([]);
  });

  it('says how far it is, and ends between two files when it is told to', async () => {
    const { builder, store } = await aBuilder();
    const { digest } = await builder.gather('web');
    const said: string[] = [];
    const stop = new AbortController();
    const build = builder.build({
      source: 'web',
      sourceDigest: digest,
      signal: stop.signal,
      onProgress: ({ done, of, file }) => {
        said.push(`${done}/${of} ${file}`);
        if (done === 2) stop.abort(new Error('not needed any more'));
      },
    });
    await expect(build).rejects.toThrow('not needed any more');
    expect(said).toEqual(['1/4 app.ts', '2/4 images/dot.svg']);
    expect(await readdir(store)).toEqual([]);
  });

  it('may be made many times at once', async () => {
    const { build, store } = await aBuilder();
    const all = await Promise.all(Array.from({ length: 8 }, build));
    expect(new Set(all.map(({ artifact }) => artifact)).size).toBe(1);
    expect(await readdir(join(store, 'archives'))).toEqual([`${all[0]?.artifact}.tar`]);
  });
});
