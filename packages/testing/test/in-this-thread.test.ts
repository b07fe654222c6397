import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { inThisThread } from '../src/in-this-thread.ts';

const program = `
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import v8 from 'node:v8';
import { inThisThread } from ${JSON.stringify(new URL('../src/in-this-thread.ts', import.meta.url).href)};
inThisThread();
let traced = 0;
v8.promiseHooks.createHook({ init: () => { traced += 1; }, settled: () => {} });
let heard = false;
createHook({ before: () => { heard = true; } }).enable();
const storage = new AsyncLocalStorage();
const scope = await storage.run('a scope', async () => {
  await null;
  return storage.getStore();
});
console.log(JSON.stringify({ scope, heard, traced }));
`;

// In a fresh process: in this one AsyncLocalStorage is at work already.
it('workflows in the thread of a test keep their scopes, and no promise is traced', async () => {
  const args = ['--import', 'tsx/esm', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual({ scope: 'a scope', heard: true, traced: 0 });
});

it('an error of a test is shown where it was made, and one of a workflow as the SDK wants it', () => {
  inThisThread();
  Error.prepareStackTrace = () => 'by the SDK';
  expect(new TypeError('of a test').stack).toMatch(/in-this-thread\.test\.ts:\d+/);
  expect(runInNewContext('new Error("of a workflow").stack')).toBe('by the SDK');
});
