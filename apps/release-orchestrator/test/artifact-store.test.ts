import { readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnChild } from '@repo/dev-stack';
import { expect, it, onTestFinished } from 'vitest';
import { artifactFolder } from '../src/services/artifact-folder.ts';
import { sha256 } from '../src/services/digests.ts';
import { describeArtifactStore, type StoreAtHand } from './artifact-store-contract.ts';
import { aFolder, write } from './services-folders.ts';

async function inAFolder(): Promise<StoreAtHand & { folder: string }> {
  const folder = await aFolder();
  return {
    folder,
    store: artifactFolder(folder),
    another: () => artifactFolder(folder),
    async damage(digest, how) {
      const file = join(folder, 'archives', `${digest}.tar`);
      const content = await readFile(file);
      content[100] = (content[100] ?? 0) ^ 1;
      await (how === 'cut' ? truncate(file, 100) : writeFile(file, content));
    },
    visible: async () => {
      const names = await readdir(join(folder, 'archives')).catch(() => []);
      return names.filter((name) => name.endsWith('.tar')).map((name) => name.slice(0, -'.tar'.length));
    },
  };
}

describeArtifactStore('files of a folder', inAFolder);

it('shows nothing of a put that is not finished, nor of one that was killed in the middle', async () => {
  const { folder, store, visible } = await inAFolder();
  const file = fileURLToPath(new URL('./artifact-store-worker.ts', import.meta.url));
  const seen = new Set<string>();
  /** Everything, as soon as it can be seen. */
  const readNew = async () => {
    for (const digest of (await visible()).filter((one) => !seen.has(one))) {
      expect(sha256(await store.get(digest))).toBe(digest);
      seen.add(digest);
    }
    return seen.size;
  };
  const isWriting = async () => (await readdir(join(folder, 'archives'))).some((name) => name.endsWith('.partial'));
  for (const round of [1, 2]) {
    // Before the writer starts: what it told while this reads would count twice.
    const before = await readNew();
    let told = 0;
    const onMessage = () => {
      told += 1;
    };
    const options = { name: 'writer', file, args: [folder, String(round)], logFile: join(folder, 'writer.log') };
    const writer = await spawnChild({ ...options, onMessage });
    onTestFinished(async () => void (await writer.kill()));
    while (told < 3) await readNew();
    await expect.poll(isWriting, { interval: 1, timeout: 20_000 }).toBe(true);
    await writer.kill();
    expect(await readNew()).toBeGreaterThanOrEqual(before + told);
  }
});

it('clears away what killed writers have left, and not what others are writing', async () => {
  const { folder, store } = await inAFolder();
  await write(folder, { 'archives/old.partial': 'x', 'archives/new.partial': 'x' });
  await utimes(join(folder, 'archives/old.partial'), 1, 1);
  const digest = await store.put(Buffer.from('archive'));
  expect((await readdir(join(folder, 'archives'))).sort()).toEqual([`${digest}.tar`, 'new.partial'].sort());
});
