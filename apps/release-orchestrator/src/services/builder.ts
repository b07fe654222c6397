import { createRequire as requireFrom } from 'node:module';
import { extname } from 'node:path';
import type { ArtifactStore, Builder } from '../services.ts';
import type { Files } from './archive.ts';
import { packArtifact } from './artifact.ts';
import { sha256 } from './digests.ts';
import { Refused } from './refused.ts';
import { readSource, sourceDigest } from './source.ts';

// esbuild looks for its program beside itself, so it stays where it is when this program is bundled into one file.
const load = requireFrom(import.meta.url);
const esbuild = (): typeof import('esbuild') => load('esbuild');

/** Part of every recipe. To be raised when a change here gives other bytes for the same source. */
const builderVersion = 1;
const options = { minify: true, target: 'es2022', charset: 'utf8', legalComments: 'none', logLevel: 'silent' } as const;

/** Everything that decides about what comes out. */
const recipeOf = (source: string): string =>
  sha256(JSON.stringify({ builderVersion, esbuild: esbuild().version, options, source }));

/** @param root the folder of all sources */
export function createBuilder(root: string, artifacts: ArtifactStore): Builder {
  return {
    async gather(source) {
      const files = await readSource(root, source);
      const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
      return { digest: sourceDigest(files), files: files.size, bytes };
    },
    find: (source) => artifacts.find(recipeOf(source)),
    async build({ source, sourceDigest: gathered, onProgress, signal }) {
      signal?.throwIfAborted();
      const recipe = recipeOf(gathered);
      const known = await artifacts.find(recipe);
      if (known) return { artifact: known, isNew: false };
      const files = await readSource(root, source);
      const now = sourceDigest(files);
      if (now !== gathered) {
        throw new Refused(
          'sourceChanged',
          `${source} was ${gathered} when it was gathered, and is ${now} now`,
          'source',
        );
      }
      const site: Files = new Map();
      for (const [path, content] of files) {
        signal?.throwIfAborted();
        const built = builtPath(path);
        if (site.has(built))
          throw new Refused('invalidSource', `${source}: ${path} would be built to ${built}, which is there`, 'source');
        site.set(built, await buildFile(source, path, content));
        onProgress?.({ done: site.size, of: files.size, file: path });
      }
      const artifact = await artifacts.put(packArtifact(site));
      await artifacts.note(recipe, artifact);
      return { artifact, isNew: true };
    },
  };
}

const loaders = { '.css': 'css', '.js': 'js', '.ts': 'ts' } as const;
const loaderOf = (path: string) => loaders[extname(path) as keyof typeof loaders] as 'css' | 'js' | 'ts' | undefined;
const builtPath = (path: string): string => (loaderOf(path) === 'ts' ? path.replace(/\.ts$/, '.js') : path);

async function buildFile(source: string, path: string, content: Buffer): Promise<Buffer> {
  const loader = loaderOf(path);
  if (!loader) return content;
  try {
    // Its own configuration only: esbuild looks for none when it is given text.
    const { code } = await esbuild().transform(content, { ...options, loader, tsconfigRaw: {} });
    return Buffer.from(code);
  } catch (error) {
    const [first] = (error as import('esbuild').TransformFailure).errors ?? [];
    if (!first) throw error;
    const where = `${path}:${first.location?.line ?? 1}`;
    throw new Refused('invalidSource', `${source}: ${where}: ${first.text}`, 'source', { cause: error });
  }
}
