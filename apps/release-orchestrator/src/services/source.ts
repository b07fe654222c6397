import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Files } from './archive.ts';
import { digestOfAll, sha256 } from './digests.ts';
import { limits, pathProblem } from './names.ts';
import { Refused } from './refused.ts';

/** Names that a host answers itself, beside those of the files. */
const reserved = ['version', 'healthz'];

/**
 * The files of a source as they are now.
 *
 * @param root the folder of all sources
 * @param source path below it
 * @throws Refused `invalidSource` for what is no plain file with a plain name, too much, or nothing that could be served
 */
export async function readSource(root: string, source: string): Promise<Files> {
  const folder = await sourceFolder(root, source);
  const files: Files = new Map();
  let bytes = 0;
  const read = async (below: string): Promise<void> => {
    for (const name of (await readdir(join(folder, below))).sort()) {
      const path = below ? `${below}/${name}` : name;
      const wrong =
        pathProblem(path) ?? (reserved.includes(path) ? 'is a name that the host answers itself' : undefined);
      if (wrong) refuse(`${JSON.stringify(path)} ${wrong}`);
      // Not followed: what a link leads to may lie outside, or be replaced while it is read.
      const found = await lstat(join(folder, path));
      if (found.isDirectory()) await read(path);
      else if (!found.isFile())
        refuse(`${path} is ${found.isSymbolicLink() ? 'a link' : 'a special file'}, and not a file`);
      else {
        bytes += found.size;
        if (files.size >= limits.files) refuse(`has more than ${limits.files} files`);
        if (bytes > limits.bytes) refuse(`is larger than ${limits.bytes} bytes`);
        files.set(path, await readFile(join(folder, path)));
      }
    }
  };
  const refuse = (problem: string): never => {
    throw new Refused('invalidSource', `${source}: ${problem}`, 'source');
  };
  await read('');
  const small = new Map<string, string>();
  for (const path of files.keys()) {
    const other = small.get(path.toLowerCase());
    if (other) refuse(`${other} and ${path} are one name where case makes no difference`);
    small.set(path.toLowerCase(), path);
  }
  if (!files.has('index.html')) refuse('has no index.html');
  return files;
}

export const sourceDigest = (files: Files): string =>
  digestOfAll(Object.fromEntries([...files].map(([path, content]) => [path, sha256(content)])));

async function sourceFolder(root: string, source: string): Promise<string> {
  const refuse = (problem: string): never => {
    throw new Refused('invalidSource', `${JSON.stringify(source)} ${problem}`, 'source');
  };
  if (source.length > 200) refuse('is longer than 200 characters');
  const wrong = source.split('/').find((name) => pathProblem(name));
  if (wrong !== undefined) refuse('must be the path of a folder below the folder of sources, of plain names');
  const [top, folder] = await Promise.all([realpath(root), realpath(join(root, source)).catch(() => '')]);
  if (!folder || !(await lstat(folder)).isDirectory()) return refuse('is no folder that is there');
  return folder.startsWith(`${top}${sep}`) ? folder : refuse('is a link that leads out of the folder of sources');
}
