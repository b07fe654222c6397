import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * A bundle that is kept in a file until it would be another one. Beside it is written down what it was made of.
 * @param bundle path of the file
 * @param madeWith what it depends on beside files, such as options and versions, in words
 */
export function keptBundle(bundle: string, madeWith: string) {
  const inputs = bundle.replace(/\.\w+$/, '.inputs.json');
  return {
    /** True if it is there, and neither `madeWith` nor a file that went into it has changed. */
    async isFresh(): Promise<boolean> {
      try {
        await stat(bundle);
        const recorded = JSON.parse(await readFile(inputs, 'utf8')) as { files: object };
        const now = { madeWith, files: await fingerprints(Object.keys(recorded.files)) };
        return JSON.stringify(now) === JSON.stringify(recorded);
      } catch {
        // Not made yet, or not to the end.
        return false;
      }
    },
    /** @param files absolute paths of all files that went into it */
    async write(code: string, files: readonly string[]): Promise<void> {
      await mkdir(dirname(bundle), { recursive: true });
      await replace(bundle, code);
      const all = [...files.toSorted(), ...locksAbove(dirname(bundle))];
      await replace(inputs, JSON.stringify({ madeWith, files: await fingerprints(all) }, null, 1));
    },
  };
}

/** Package managers leave an older version of a package where it was: only the lock file tells that another one is meant. */
function locksAbove(folder: string): string[] {
  const here = ['pnpm-lock.yaml', 'package-lock.json'].map((name) => join(folder, name));
  return folder === dirname(folder) ? here : [...here, ...locksAbove(dirname(folder))];
}

/** Whoever reads the file meanwhile, or writes it as well, sees the old or the new one, never half of it. */
async function replace(path: string, content: string): Promise<void> {
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, content);
  await rename(partial, path);
}

async function fingerprints(files: readonly string[]): Promise<Record<string, string>> {
  const one = async (file: string) => {
    const found = await stat(file).catch(() => undefined);
    return [file, found ? `${found.size} ${found.mtimeMs}` : 'absent'] as const;
  };
  return Object.fromEntries(await Promise.all(files.map(one)));
}
