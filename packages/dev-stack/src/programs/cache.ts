import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { shortHash } from '../paths.ts';
import { identify } from '../processes.ts';
import type { ProgramDefinition } from './definition.ts';
import { isExecutable } from './on-path.ts';

/** Written last into a cache entry: without it the entry is half-finished. */
const MARKER = '.complete';

interface Marker {
  version: string;
  executable: string;
  source: 'build' | 'download';
}

/** The cache folder of a definition's own build: a change of the pinned sources makes another one. */
export function buildFolder(cache: string, definition: ProgramDefinition): string {
  const sources = definition.build?.sources;
  if (!sources) throw new Error(`${definition.name} is not built`);
  const hash = createHash('sha256');
  for (const file of filesBelow(sources)) hash.update(file.slice(sources.length)).update(readFileSync(file));
  const platform = `${process.platform}-${process.arch}`;
  const content = hash.update(platform).digest('hex').slice(0, 10);
  return join(cache, `${definition.name}-${definition.pinnedVersion?.() ?? 'unpinned'}-${content}`);
}

/** The cache folder of what is downloaded. */
export function downloadFolder(cache: string, definition: ProgramDefinition): string {
  if (!definition.download) throw new Error(`${definition.name} is not downloaded`);
  return join(cache, `${definition.name}-${definition.download.version()}-${process.platform}-${process.arch}`);
}

/** Reads a cache entry; undefined if it is missing, half-finished or damaged. */
export function readEntry(folder: string): (Marker & { path: string }) | undefined {
  try {
    const marker = JSON.parse(readFileSync(join(folder, MARKER), 'utf8')) as Marker;
    const path = join(folder, marker.executable);
    return isExecutable(path) ? { ...marker, path } : undefined;
  } catch {
    return undefined;
  }
}

/** Where this process prepares an entry before it gets its name. */
export function partialFolder(folder: string): string {
  return `${folder}.partial-${process.pid}`;
}

/** Finishes an entry prepared in `partial`: marker first, then the name, so that a name means a whole entry. */
export function completeEntry(partial: string, folder: string, marker: Marker): void {
  writeFileSync(join(partial, MARKER), JSON.stringify(marker));
  // What stands there already has no valid marker, or nobody would have prepared another.
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
}

/** Removes what interrupted builds of this entry left; call it under the entry's lock. */
export function removeLeftovers(folder: string): void {
  for (const partial of partialsIn(dirname(folder))) {
    if (partial.startsWith(`${folder}.partial-`)) rmSync(partial, { recursive: true, force: true });
  }
}

/** Half-finished entries whose process is gone. */
export function deadPartials(cache: string): string[] {
  return partialsIn(cache).filter((path) => !identify(Number(path.slice(path.lastIndexOf('-') + 1))));
}

/**
 * `read()`, remembered for as long as the file at `path` stays the same: asking a Go program for its version takes
 * longer than all the rest of a warm start.
 */
export async function rememberedVersion(cache: string, path: string, read: () => Promise<string>): Promise<string> {
  const { mtimeMs, size } = statSync(path);
  const memo = join(cache, 'versions', shortHash(path, String(mtimeMs), String(size)));
  try {
    return readFileSync(memo, 'utf8');
  } catch {
    const version = await read();
    try {
      mkdirSync(dirname(memo), { recursive: true });
      writeFileSync(`${memo}.${process.pid}`, version);
      renameSync(`${memo}.${process.pid}`, memo);
    } catch {
      // A cache that cannot be written costs time, nothing else.
    }
    return version;
  }
}

function partialsIn(cache: string): string[] {
  try {
    return readdirSync(cache)
      .filter((name) => /\.partial-\d+$/.test(basename(name)))
      .map((name) => join(cache, name));
  } catch {
    return [];
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
