import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = `
import { AsyncLocalStorage } from 'node:async_hooks';
import v8 from 'node:v8';
import { inThisThread } from ${JSON.stringify(new URL('../src/in-this-thread.ts', import.meta.url).href)};
inThisThread();
let traced = 0;
v8.promiseHooks.createHook({ init: () => { traced += 1; }, settled: () => {} });
const storage = new AsyncLocalStorage();
const scope = await storage.run('a scope', async () => {
  await null;
  return storage.getStore();
});
console.log(JSON.stringify({ scope, traced }));
`;

// In a fresh process: in this one AsyncLocalStorage is at work already.
it('workflows in the thread of a test keep their scopes, and no promise is traced', async () => {
  const args = ['--import', 'tsx/esm', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual({ scope: 'a scope', traced: 0 });
});
