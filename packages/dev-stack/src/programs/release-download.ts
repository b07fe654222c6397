import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { OperatorError } from '../operator-error.ts';
import { heartbeat, type Progress } from '../progress.ts';
import { isExecutable } from './on-path.ts';

const run = promisify(execFile);

// Without a network this fails at once; a firewall that swallows packets is given up after the first of these.
const beginsWithinMs = 15_000;
const endsWithinMs = 300_000;

/** A release as its publisher puts it up: archives, and a file with the SHA-256 of each. */
export interface Release {
  /** For messages: `SpiceDB`. */
  title: string;
  /** The URL of the folder with both. */
  folder: string;
  /** File name of the tar.gz for this platform. */
  archive: string;
  /** File name of the checksums, in the format of sha256sum. */
  checksums: string;
  /** File name of the program in the archive. */
  program: string;
}

/**
 * Downloads an archive, checks it against its publisher's checksum and unpacks the program into `folder`.
 * @returns the executable
 * @throws OperatorError if the archive is not the one that the publisher's checksum is of; other errors if there is no way
 *   to the publisher, or if it has no such release
 */
export async function downloadRelease(release: Release, folder: string, progress: Progress): Promise<string> {
  const { title, archive, program } = release;
  const url = (file: string) =>
    new URL(file, release.folder.endsWith('/') ? release.folder : `${release.folder}/`).href;
  progress(`downloading ${title} from ${new URL(release.folder).host}`);
  const quiet = heartbeat(progress, `downloading ${title}`);
  try {
    const expected = checksumOf(archive, await (await get(url(release.checksums))).text());
    if (!expected) throw new Error(`${url(release.checksums)} has no checksum for ${archive}`);
    const file = join(folder, archive);
    const hash = createHash('sha256');
    const response = await get(url(archive));
    await pipeline(
      Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file, { mode: 0o600 }),
    );
    const found = hash.digest('hex');
    if (found !== expected) {
      throw new OperatorError(
        `${url(archive)} is not what its publisher says it is: its SHA-256 is ${found}, and should be ${expected}.`,
        'Nothing of it was run. Try again later, or on another network; if it stays so, tell the publisher.',
      );
    }
    // Only this one member: an archive may hold whatever it likes.
    await run('tar', ['-xzf', file, '-C', folder, program], { cwd: folder });
    const executable = join(folder, program);
    if (!isExecutable(executable)) throw new Error(`${archive} has no program ${program} in it`);
    return executable;
  } finally {
    quiet();
  }
}

/** The checksum of a file in a list made by sha256sum; undefined if it is not in it. */
function checksumOf(file: string, list: string): string | undefined {
  for (const line of list.split('\n')) {
    const [, checksum, name] = /^([0-9a-f]{64})\s+\*?(\S+)$/i.exec(line.trim()) ?? [];
    if (name === file) return checksum?.toLowerCase();
  }
  return undefined;
}

async function get(url: string): Promise<Response> {
  const begin = new AbortController();
  const timer = setTimeout(() => begin.abort(new Error(`no answer within ${beginsWithinMs / 1000} s`)), beginsWithinMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([begin.signal, AbortSignal.timeout(endsWithinMs)]) });
    if (!response.ok || !response.body) throw new Error(`${url} answers ${response.status}`);
    return response;
  } catch (error) {
    const { cause, message } = error as Error;
    throw new Error(cause instanceof Error ? `${message}: ${cause.message}` : message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
