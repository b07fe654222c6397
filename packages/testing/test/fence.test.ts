import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstTask, openings, strangers } from '../src/fence.ts';

const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
let folder: string;

/** Bundles workflow code; if it is refused, throws an error with everything that the bundler said. */
async function bundled(source: string): Promise<string> {
  const planted = join(folder, 'planted.ts');
  await writeFile(planted, source);
  return bundleOf(planted);
}

async function bundleOf(workflowsPath: string): Promise<string> {
  let log = '';
  const logger = new DefaultLogger('ERROR', ({ message }) => {
    log += message;
  });
  try {
    return (await bundleWorkflowCode({ workflowsPath, logger })).code;
  } catch (error) {
    throw new Error(`${error}\n${log}`);
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(fixtures, 'dist-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('ALL-3 the bundler refuses a workflow that imports', () => {
  it.each([
    [
      'the file system',
      `import { readFileSync } from 'node:fs'; export const w = async () => readFileSync('x')`,
      'node:fs',
    ],
    ['the network', `import { get } from 'http'; export const w = async () => get('http://x')`, "- 'http'"],
    ['a database', `import pg from 'pg'; export const w = async () => new pg.Pool()`, "- 'net'"],
    [
      'at run time',
      `export const w = async () => (await import('node:child_process')).fork('x')`,
      'node:child_process',
    ],
  ])('%s', async (_, source, message) => {
    await expect(bundled(source)).rejects.toThrow(message);
  });
});

describe('ALL-3 the sandbox stops a workflow that', () => {
  let plants: string;
  beforeAll(async () => {
    plants = await bundleOf(join(fixtures, 'plants.ts'));
  });

  it.each([
    ['asksTheNetwork', 'fetch is not defined'],
    ['readsTheEnvironment', 'process is not defined'],
    ['requiresAtRunTime', 'require is not a function'],
    ['waitsOutsideOfTheWorkflow', 'setImmediate is not defined'],
    ['looksAtTheClock', 'performance is not defined'],
    ['watchesTheGarbageCollector', 'WeakRef cannot be used in Workflows'],
  ])('%s', async (workflow, message) => {
    expect(await firstTask(plants, workflow)).toContain(message);
  });

  it('and no other', async () => {
    expect(await firstTask(plants, 'doesNoneOfThat')).toBeUndefined();
    expect(await openings(plants)).toEqual([]);
    expect(strangers(plants)).toEqual([]);
  });
});

describe('ALL-3 the fence notices what bundler and sandbox let through', () => {
  it('an npm package that nobody has called pure', async () => {
    const code = await bundled(`import d from 'pg/lib/defaults.js'; export const w = async () => d.host;`);
    expect(strangers(code)).toEqual(expect.arrayContaining(['pg', 'pg-types']));
    expect(strangers(code, ['pg'])).not.toContain('pg');
  });

  it('a way out that workflow code makes for itself', async () => {
    const code = await bundled(`
      Object.assign(globalThis, { process: URL.constructor('return process')(), shared: new Map() });
      export const w = async () => process.env.HOME;`);
    expect(await openings(code)).toEqual(['has process', 'makes process', 'makes shared']);
  });
});
