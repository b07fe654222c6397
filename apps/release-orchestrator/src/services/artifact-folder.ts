import { join } from 'node:path';
import type { ArtifactStore } from '../services.ts';
import { isDigest, sha256 } from './digests.ts';
import { readIfThere, removePartials, writeDurably } from './durable-file.ts';
import { limits } from './names.ts';
import { Refused } from './refused.ts';

/** Archives as files of a folder, by digest; what builds gave beside them. Several processes may use one folder. */
export function artifactFolder(folder: string): ArtifactStore {
  const archives = join(folder, 'archives');
  const archiveAt = (digest: string) => join(archives, `${digest}.tar`);
  const noteAt = (recipe: string) => join(folder, 'builds', recipe);

  const has = async (digest: string): Promise<boolean> => {
    if (!isDigest(digest)) return false;
    const archive = await readIfThere(archiveAt(digest));
    return archive !== undefined && sha256(archive) === digest;
  };

  return {
    has,
    async put(archive) {
      if (archive.length > limits.archiveBytes) {
        throw new Refused('tooLarge', `An archive must have at most ${limits.archiveBytes} bytes`);
      }
      const digest = sha256(archive);
      await removePartials(archives);
      if (!(await has(digest))) await writeDurably(archiveAt(digest), archive);
      return digest;
    },
    async get(digest) {
      const archive = isDigest(digest) ? await readIfThere(archiveAt(digest)) : undefined;
      if (!archive) throw new Refused('unknownDigest', `No artifact ${digest} is kept`);
      if (sha256(archive) === digest) return archive;
      throw new Refused('digestMismatch', `The artifact ${digest} is damaged: build it again`);
    },
    async note(recipe, artifact) {
      if (!isDigest(recipe) || !isDigest(artifact)) throw new Refused('invalidRequest', 'Only digests are noted');
      await writeDurably(noteAt(recipe), artifact);
    },
    async find(recipe) {
      const artifact = isDigest(recipe) ? String((await readIfThere(noteAt(recipe))) ?? '') : '';
      return (await has(artifact)) ? artifact : undefined;
    },
  };
}
