import { stat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { tokenOf } from '../src/extras/hosts.ts';
import { aFolder } from './services-folders.ts';

it('the token of a host is the same after a restart, and for this user alone to read', async () => {
  const file = `${await aFolder()}/environments/dev.token`;
  const token = await tokenOf(file);
  expect(token).toMatch(/^[\w-]{32}$/);
  expect(await tokenOf(file)).toBe(token);
  expect(await tokenOf(`${file}.other`)).not.toBe(token);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
