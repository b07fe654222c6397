import { describe, expect, it } from 'vitest';
import { sha256 } from '../src/services/digests.ts';
import { limits } from '../src/services/names.ts';
import type { ArtifactStore } from '../src/services.ts';

export interface StoreAtHand {
  store: ArtifactStore;
  /** The same store, as another process sees it. */
  another(): ArtifactStore;
  /** Changes a byte of what is kept, or cuts it off, behind the store's back. */
  damage(digest: string, how: 'change' | 'cut'): Promise<void>;
  /** The digests of all archives that a reader could find. */
  visible(): Promise<string[]>;
}

/** What every artifact store promises. @param open gives a new and empty one */
export function describeArtifactStore(name: string, open: () => Promise<StoreAtHand>): void {
  const archive = (text: string) => Buffer.from(text.repeat(3000));
  const nowhere = sha256('nowhere');

  describe(`artifact store: ${name}`, () => {
    it('gives back what it was given, by its digest', async () => {
      const { store, another } = await open();
      const digest = await store.put(archive('one'));
      expect(digest).toBe(sha256(archive('one')));
      for (const one of [store, another()]) {
        expect(await one.has(digest)).toBe(true);
        expect(await one.get(digest)).toEqual(archive('one'));
      }
    });

    it.each([nowhere, '', '..', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63)])(
      'has nothing under %j',
      async (digest) => {
        const { store } = await open();
        await store.put(archive('one'));
        expect(await store.has(digest)).toBe(false);
        expect(await store.find(digest)).toBeUndefined();
        await expect(store.get(digest)).rejects.toMatchObject({ name: 'Refused', type: 'UnknownDigest' });
      },
    );

    it('takes the same archive from many at once', async () => {
      const { store, another, visible } = await open();
      const stores = [store, another(), another(), another()];
      const digests = await Promise.all(stores.flatMap((one) => [one.put(archive('one')), one.put(archive('two'))]));
      expect(new Set(digests)).toEqual(new Set([sha256(archive('one')), sha256(archive('two'))]));
      expect((await visible()).sort()).toEqual([...new Set(digests)].sort());
    });

    it.each(['change', 'cut'] as const)(
      'says so where an archive is damaged (%s), and is mended by another put',
      async (how) => {
        const { store, damage } = await open();
        const [recipe, digest] = [sha256('recipe'), await store.put(archive('one'))];
        await store.note(recipe, digest);
        await damage(digest, how);
        expect(await store.has(digest)).toBe(false);
        expect(await store.find(recipe)).toBeUndefined();
        await expect(store.get(digest)).rejects.toMatchObject({ name: 'Refused', type: 'DigestMismatch' });
        expect(await store.put(archive('one'))).toBe(digest);
        expect(await store.get(digest)).toEqual(archive('one'));
        expect(await store.find(recipe)).toBe(digest);
      },
    );

    it('finds what a recipe gave: the last that was noted, as long as it is there', async () => {
      const { store, another } = await open();
      const recipe = sha256('recipe');
      expect(await store.find(recipe)).toBeUndefined();
      await store.note(recipe, nowhere);
      expect(await store.find(recipe)).toBeUndefined();
      for (const text of ['one', 'two']) {
        const digest = await store.put(archive(text));
        await store.note(recipe, digest);
        expect(await another().find(recipe)).toBe(digest);
      }
    });

    it('takes no recipe that is no digest', async () => {
      const { store } = await open();
      const digest = await store.put(archive('one'));
      await expect(store.note('../recipe', digest)).rejects.toMatchObject({ type: 'InvalidRequest' });
      await expect(store.note(digest, '../artifact')).rejects.toMatchObject({ type: 'InvalidRequest' });
    });

    it('takes no archive that is too large for a host', async () => {
      const { store, visible } = await open();
      await expect(store.put(Buffer.alloc(limits.archiveBytes + 1))).rejects.toMatchObject({ type: 'TooLarge' });
      expect(await visible()).toEqual([]);
    });
  });
}
