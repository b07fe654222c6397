import { z } from 'zod';
import { type Files, pack, unpack } from './archive.ts';
import { byName, isDigest, sha256 } from './digests.ts';
import { Refused } from './refused.ts';

/** Where an artifact says which files it has. */
const manifestPath = 'manifest.json';
/** The folder of the files that are served. */
export const filesFolder = 'files/';

/** What an artifact says of itself. */
export interface Manifest {
  /** Digests of the files, by their path below `files/`. */
  files: Record<string, string>;
}

const manifestFields = z.strictObject({ files: z.record(z.string(), z.string().refine(isDigest)) });

/** Packs files with a manifest of them. @param site by the path under which they are served */
export function packArtifact(site: Files): Buffer {
  const digests = [...site].sort(byName).map(([path, content]) => [path, sha256(content)] as const);
  const manifest: Manifest = { files: Object.fromEntries(digests) };
  const files: Files = new Map([...site].map(([path, content]) => [`${filesFolder}${path}`, content]));
  return pack(files.set(manifestPath, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)));
}

/**
 * All files of an artifact, the manifest included, each as the manifest says.
 *
 * @throws Refused `digestMismatch` if the archive is not the one with that digest; `invalidArchive`, `tooLarge`
 */
export function unpackArtifact(digest: string, archive: Buffer): Files {
  const actual = sha256(archive);
  if (actual !== digest) throw new Refused('digestMismatch', `The archive has the digest ${actual}, not ${digest}`);
  const files = unpack(archive);
  const wrong = manifestProblem(files);
  if (wrong) throw new Refused('invalidArchive', `The archive ${wrong}`);
  return files;
}

/** In what files and their manifest differ; undefined if in nothing. */
export function manifestProblem(files: Files): string | undefined {
  const manifest = parseManifest(files.get(manifestPath));
  if (!manifest) return `has no ${manifestPath}, or one that cannot be read`;
  const named = Object.keys(manifest.files).map((path) => `${filesFolder}${path}`);
  const missing = named.find((path) => !files.has(path));
  if (missing) return `lacks ${missing}`;
  const unknown = [...files.keys()].find((path) => path !== manifestPath && !named.includes(path));
  if (unknown) return `has ${unknown}, which its manifest does not name`;
  const damaged = Object.entries(manifest.files).find(
    ([path, digest]) => sha256(files.get(`${filesFolder}${path}`) ?? '') !== digest,
  );
  return damaged && `has another ${damaged[0]} than its manifest says`;
}

function parseManifest(content: Buffer | undefined): Manifest | undefined {
  try {
    return manifestFields.parse(JSON.parse(String(content)));
  } catch {
    return undefined;
  }
}
