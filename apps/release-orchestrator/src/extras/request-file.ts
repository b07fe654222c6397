import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidInputError } from '@repo/worker-kit';

/** Bytes: a release of twenty deployables to four environments has 3 KiB. */
const largest = 64 * 1024;
/** A release has lists of objects, and nothing deeper. */
const deepest = 16;

/**
 * The JSON in a file, or what comes from standard input for `-`. A relative path is looked for where the command was
 * typed, which a package manager that changes the folder tells by `INIT_CWD`, and then in the current folder.
 * @throws InvalidInputError that names the file: missing, no file, not JSON, too large, nested too deeply
 */
export async function readRequestFile(file: string, input: AsyncIterable<unknown> = process.stdin): Promise<unknown> {
  const text = file === '-' ? await read(file, input) : await readFile(file);
  if (depthOf(text) > deepest) throw refused(file, `is nested deeper than ${deepest} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refused(file, `is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}

async function readFile(file: string): Promise<string> {
  const places = [...new Set([resolve(process.env.INIT_CWD ?? '.', file), resolve(file)])];
  for (const place of places) {
    try {
      const handle = await open(place);
      try {
        if (!(await handle.stat()).isFile()) throw refused(file, 'is no file');
        return await read(file, handle.createReadStream({ autoClose: false }));
      } finally {
        await handle.close();
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw refused(file, `cannot be read (${code})`);
    }
  }
  throw refused(file, `is not there: ${places.join(', nor ')}`);
}

/** No more than the limit is taken into memory, whatever the file says of its size. */
async function read(file: string, stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Buffer);
    size += bytes.length;
    if (size > largest) throw refused(file, `has more than ${largest / 1024} KiB`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}

/** How deeply lists and objects are nested, whether or not the text is JSON. */
function depthOf(text: string): number {
  let [depth, most] = [0, 0];
  // A string is one match, so that brackets in it do not count.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    most = Math.max(most, depth);
  }
  return most;
}

const refused = (file: string, message: string) => new InvalidInputError([{ field: file, message }]);
