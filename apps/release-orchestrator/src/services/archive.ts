import { Header } from 'tar';
import { byName } from './digests.ts';
import { limits, pathProblem } from './names.ts';
import { Refused } from './refused.ts';

/** Contents by path, with forward slashes. */
export type Files = Map<string, Buffer>;

const block = 512; // bytes: what tar is made of
const longestPath = 101; // characters: the folder of the files, and what a source may have
const padding = (size: number): number => (block - (size % block)) % block;

/**
 * Packs files as tar. The same files give the same bytes: sorted, without times, owners and modes, and not compressed,
 * for two versions of zlib compress differently.
 */
export function pack(files: Files): Buffer {
  const parts = [...files].sort(byName).flatMap(([path, content]) => {
    const header = Buffer.alloc(block);
    const facts = {
      path,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: content.length,
      mtime: new Date(0),
      type: 'File',
    } as const;
    const isLong = new Header(facts).encode(header, 0);
    // An extended header would be one more thing for a host to distrust; `pathProblem` keeps names short enough.
    if (isLong) throw new Refused('invalidArchive', `${path} is too long a path`, path);
    return [header, content, Buffer.alloc(padding(content.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

/**
 * The files of an archive that `pack` has made. Nothing is written anywhere, so no path in it can lead out of a folder.
 *
 * @throws Refused `invalidArchive` for anything but plain files with plain paths, each once; `tooLarge`
 */
export function unpack(archive: Buffer): Files {
  const files: Files = new Map();
  let bytes = 0;
  for (let at = 0; at + block <= archive.length; ) {
    const header = new Header(archive, at);
    if (header.nullBlock) break;
    const { path = '', type, size = 0 } = header;
    const wrong = header.cksumValid ? problemOf(path, type, files) : 'has no header of tar';
    if (wrong) throw new Refused('invalidArchive', `${JSON.stringify(path)} in the archive ${wrong}`, path);
    bytes += size;
    if (bytes > limits.bytes || files.size > limits.files) throw new Refused('tooLarge', 'The archive holds too much');
    const content = archive.subarray(at + block, at + block + size);
    if (size < 0 || content.length < size) throw new Refused('invalidArchive', `${path} is cut off`, path);
    files.set(path, content);
    at += block + size + padding(size);
  }
  // One form only: what could be read in two ways would have two meanings under one digest.
  if (!pack(files).equals(archive)) throw new Refused('invalidArchive', 'The archive is not as this project packs');
  return files;
}

function problemOf(path: string, type: string, files: Files): string | undefined {
  if (type !== 'File') return `is a ${type}, and not a file`;
  return files.has(path) ? 'is there twice' : pathProblem(path, longestPath);
}
