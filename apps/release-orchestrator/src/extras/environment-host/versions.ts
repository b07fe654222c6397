import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Files, pack } from '../../services/archive.ts';
import { filesFolder, manifestProblem, unpackArtifact } from '../../services/artifact.ts';
import { isDigest, sha256 } from '../../services/digests.ts';
import { readIfThere, removePartials, syncFolder } from '../../services/durable-file.ts';
import { oneAtATime } from './one-at-a-time.ts';

/** Unpacked versions, side by side: a folder each, by the digest of its archive. */
export class Versions {
  readonly #folder: string;
  /** A version that somebody has just asked for must not be thrown away in that moment. */
  readonly #change = oneAtATime();

  /** @param folder only this process writes to it */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Removes what a killed process has left half unpacked. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await removePartials(this.#folder, 0);
  }

  /** Unpacks a version; mends it if it is there and damaged. Refuses as `unpackArtifact` does. */
  async put(digest: string, archive: Buffer): Promise<void> {
    const files = unpackArtifact(digest, archive);
    const partial = join(this.#folder, `${randomUUID()}.partial`);
    try {
      await this.keep(digest);
      if (!(await this.problemOf(digest))) return;
      await writeFiles(partial, files);
      await this.#change(async () => {
        // Somebody was faster, and it may be served already.
        if (!(await this.problemOf(digest))) return;
        // A damaged version may be in use; it is gone for no longer than it takes to rename two folders.
        await rename(this.#at(digest), `${partial}.old.partial`).catch(unlessMissing);
        await rename(partial, this.#at(digest));
        await syncFolder(this.#folder);
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
      await rm(`${partial}.old.partial`, { recursive: true, force: true });
    }
  }

  /** What is wrong with a version; undefined if it is there, whole. */
  async problemOf(digest: string): Promise<string | undefined> {
    return problemIn(digest, await this.read(digest));
  }

  /** All files of a version as they are now; none if there is no such version. */
  async read(digest: string): Promise<Files> {
    const files: Files = new Map();
    if (!isDigest(digest)) return files;
    const top = this.#at(digest);
    const entries = await readdir(top, { recursive: true, withFileTypes: true }).catch(unlessMissing);
    for (const entry of entries ?? []) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files.set(relative(top, path), await readFile(path));
    }
    return files;
  }

  /** One of the files that are served; undefined if there is none. @param path a plain one, see `pathProblem` */
  async file(digest: string, path: string): Promise<Buffer | undefined> {
    return readIfThere(join(this.#at(digest), filesFolder, path));
  }

  /** Somebody is about to use it: it is not thrown away for a while. */
  keep(digest: string): Promise<void> {
    return this.#change(() => utimes(this.#at(digest), new Date(), new Date()).catch(unlessMissing));
  }

  /** Removes the versions that are not in use and that nobody has asked for since then. @param unusedMs for how long */
  prune(inUse: ReadonlySet<string>, unusedMs: number): Promise<void> {
    return this.#change(async () => {
      for (const digest of (await readdir(this.#folder)).filter((name) => isDigest(name) && !inUse.has(name))) {
        const { mtimeMs } = await stat(this.#at(digest));
        if (Date.now() - mtimeMs < unusedMs) continue;
        // Renamed first: a version is there whole, or not at all.
        const gone = join(this.#folder, `${randomUUID()}.partial`);
        await rename(this.#at(digest), gone);
        await rm(gone, { recursive: true, force: true });
      }
    });
  }

  readonly #at = (digest: string): string => join(this.#folder, digest);
}

/** What is wrong with the files of a version. */
export function problemIn(digest: string, files: Files): string | undefined {
  if (files.size === 0) return 'is not there';
  const problem = manifestProblem(files);
  if (problem) return problem;
  return sha256(pack(files)) === digest ? undefined : 'is not what it was unpacked from';
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  const folders = new Set([folder]);
  for (const path of files.keys()) {
    for (let one = dirname(join(folder, path)); one !== dirname(folder); one = dirname(one)) folders.add(one);
  }
  await mkdir(folder);
  for (const one of folders) await mkdir(one, { recursive: true });
  const left = [...files];
  const write = async () => {
    for (let next = left.pop(); next; next = left.pop())
      await writeFile(join(folder, next[0]), next[1], { flush: true });
  };
  // Each waits for the disk, and the disk can serve several at a time.
  await Promise.all(Array.from({ length: 16 }, write));
  for (const one of folders) await syncFolder(one);
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
