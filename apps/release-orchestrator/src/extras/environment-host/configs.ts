import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigValues, configHash, configText, parseConfig } from '../../services/config-values.ts';
import { isDigest } from '../../services/digests.ts';
import { readIfThere, removePartials, writeDurably } from '../../services/durable-file.ts';
import { Refused } from '../../services/refused.ts';
import { oneAtATime } from './one-at-a-time.ts';

/** Configurations beside the versions: a file each, by hash. */
export class Configs {
  readonly #folder: string;
  readonly #change = oneAtATime();

  /** @param folder only this process writes to it */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await removePartials(this.#folder, 0);
  }

  /** Refuses with `invalidConfig`, `digestMismatch`. */
  async put(hash: string, text: string): Promise<void> {
    const values = parseConfig(text, 'the configuration');
    const actual = configHash(values);
    if (actual !== hash) throw new Refused('digestMismatch', `The values have the hash ${actual}, not ${hash}`);
    await this.#change(async () => {
      if (await this.read(hash)) await touch(this.#at(hash));
      else await writeDurably(this.#at(hash), configText(values));
    });
  }

  /** The values; undefined if they are not there, or are not what they were. */
  async read(hash: string): Promise<ConfigValues | undefined> {
    const text = isDigest(hash) ? await readIfThere(this.#at(hash)) : undefined;
    if (!text) return undefined;
    try {
      const values = parseConfig(text, hash);
      return configHash(values) === hash ? values : undefined;
    } catch {
      return undefined;
    }
  }

  /** As with versions. */
  keep(hash: string): Promise<void> {
    return this.#change(() => touch(this.#at(hash)));
  }

  /** As with versions. */
  prune(inUse: ReadonlySet<string>, unusedMs: number): Promise<void> {
    return this.#change(async () => {
      for (const name of await readdir(this.#folder)) {
        const path = join(this.#folder, name);
        if (inUse.has(name.replace('.json', '')) || Date.now() - (await stat(path)).mtimeMs < unusedMs) continue;
        await rm(path, { force: true });
      }
    });
  }

  readonly #at = (hash: string): string => join(this.#folder, `${hash}.json`);
}

async function touch(file: string): Promise<void> {
  try {
    await utimes(file, new Date(), new Date());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
