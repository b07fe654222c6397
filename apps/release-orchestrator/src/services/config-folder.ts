import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { ConfigStore } from '../services.ts';
import { configHash, configText, parseConfig } from './config-values.ts';
import { isDigest } from './digests.ts';
import { readIfThere, removePartials, writeDurably } from './durable-file.ts';
import { isName, limits } from './names.ts';
import { Refused } from './refused.ts';

/**
 * Configurations as files.
 *
 * @param edited people write them here: `{environment}/{deployable}.json`
 * @param kept what was released, by hash
 */
export function configFolder(edited: string, kept: string): ConfigStore {
  const keptAt = (hash: string) => join(kept, `${hash}.json`);

  return {
    async current(deployable, environment) {
      for (const [field, name] of Object.entries({ deployable, environment })) {
        if (!isName(name)) throw new Refused('invalidConfig', `${JSON.stringify(name)} is no name`, field);
      }
      const name = `${environment}/${deployable}.json`;
      const values = parseConfig(await readEdited(edited, name), name);
      const hash = configHash(values);
      const known = await readIfThere(keptAt(hash));
      if (String(known) !== configText(values)) {
        await removePartials(kept);
        await writeDurably(keptAt(hash), configText(values));
      }
      return { hash, values };
    },
    async get(hash) {
      const text = isDigest(hash) ? await readIfThere(keptAt(hash)) : undefined;
      if (!text) throw new Refused('unknownDigest', `No configuration ${hash} is kept`);
      const values = parseConfig(text, hash);
      if (configHash(values) === hash) return { hash, values };
      throw new Refused('digestMismatch', `The configuration ${hash} is damaged: gather it again`);
    },
  };
}

/** The text of a file below the folder, as long as that really is below it, a file, and small. */
async function readEdited(folder: string, name: string): Promise<Buffer> {
  const path = await realpath(join(folder, name)).catch(() => undefined);
  if (!path) throw new Refused('invalidConfig', `There is no configuration ${name}`, 'environment');
  if (!path.startsWith(`${await realpath(folder)}${sep}`)) {
    throw new Refused(
      'invalidConfig',
      `${name} is a link that leads out of the folder of configurations`,
      'deployable',
    );
  }
  const found = await stat(path);
  if (!found.isFile()) throw new Refused('invalidConfig', `${name} is not a file`, 'deployable');
  // Before it is read: it may be larger than memory.
  if (found.size > limits.configBytes) {
    throw new Refused('invalidConfig', `${name}: values must have at most ${limits.configBytes} bytes`, 'values');
  }
  return (await readIfThere(path)) ?? Buffer.alloc(0);
}
