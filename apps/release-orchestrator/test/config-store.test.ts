import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { configFolder } from '../src/services/config-folder.ts';
import { type ConfigsAtHand, describeConfigStore } from './config-store-contract.ts';
import { aFolder, write } from './services-folders.ts';

async function inFolders(): Promise<ConfigsAtHand & { edited: string; kept: string }> {
  const [edited, kept] = [await aFolder(), await aFolder()];
  return {
    edited,
    kept,
    store: configFolder(edited, kept),
    edit: (environment, deployable, text) => write(edited, { [`${environment}/${deployable}.json`]: text }),
    remove: (environment, deployable) => rm(join(edited, environment, `${deployable}.json`)),
    damage: (hash) => writeFile(join(kept, `${hash}.json`), '{"a":"3"}'),
  };
}

describeConfigStore('files of a folder', inFolders);

it('does not follow a link out of the folder, nor read what is no file', async () => {
  const { store, edited, kept } = await inFolders();
  const outside = await aFolder();
  await write(outside, { 'secret.json': '{"a":"secret"}' });
  await mkdir(join(edited, 'dev/folder.json'), { recursive: true });
  await symlink(join(outside, 'secret.json'), join(edited, 'dev/link.json'));
  const invalid = { type: 'InvalidConfig', field: 'deployable' };
  await expect(store.current('link', 'dev')).rejects.toMatchObject(invalid);
  await expect(store.current('folder', 'dev')).rejects.toMatchObject(invalid);
  expect(await readdir(kept)).toEqual([]);
});

it('takes the configurations that the app brings along', async () => {
  const store = configFolder(fileURLToPath(new URL('../configs', import.meta.url)), await aFolder());
  for (const environment of ['dev', 'test', 'qc', 'prod']) {
    expect((await store.current('hello-web', environment)).values).toMatchObject({ environment });
    expect((await store.current('status-page', environment)).values).toMatchObject({ environment });
  }
});
