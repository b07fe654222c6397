import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundledProgram } from '../src/bundled-program.ts';

let app: string;
const write = (path: string, content: string) => writeFile(join(app, path), content);

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'bundled-program-'));
  await mkdir(join(app, 'src', 'deep'), { recursive: true });
  await write('package.json', '{}');
  await write('src/deep/words.txt', 'beside the module');
  await write(
    'src/main.ts',
    `import { words, isMain } from './deep/module.ts';
     const program: string = import.meta.url;
     console.log(words(), isMain, program.endsWith(process.argv[1] ?? '-'));
     if (process.argv[2]) throw new Error('as told');`,
  );
  await module("readFileSync(new URL('./words.txt', import.meta.url), 'utf8')");
});
afterAll(() => rm(app, { recursive: true }));

const module = (words: string) =>
  write(
    'src/deep/module.ts',
    `import { readFileSync } from 'node:fs';
     export const isMain: boolean = import.meta.url.endsWith(process.argv[1] ?? '-');
     export const note = "'import.meta.url'";
     export const words = (): string => ${words};`,
  );

const run = (bundle: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, ['--enable-source-maps', bundle, ...args]);

test('what a program imports finds the files beside itself, and does not take itself for the program', async () => {
  const { stdout } = await run(await bundledProgram(join(app, 'src/main.ts')));
  expect(stdout).toBe('beside the module false true\n');
});

test('a stack trace names the line of the source', async () => {
  const failed = await run(await bundledProgram(join(app, 'src/main.ts')), 'fail').catch((error: unknown) => error);
  expect(failed).toMatchObject({ stderr: expect.stringContaining('src/main.ts:4:') });
});

test('a frame of a package has no line of its source, and not a wrong one', async () => {
  await mkdir(join(app, 'node_modules/other'), { recursive: true });
  await write('node_modules/other/package.json', '{ "type": "module" }');
  await write(
    'node_modules/other/index.js',
    "export const a = 1;\n\nexport function fail() {\n  throw new Error('as told');\n}\n",
  );
  await write('src/user.ts', "import { a, fail } from 'other';\nif (a) fail();\n");
  const failed = await run(await bundledProgram(join(app, 'src/user.ts'))).catch((error: unknown) => error);
  expect(failed).toMatchObject({ stderr: expect.stringMatching(/at fail .*user-\w+\.mjs:\d+[\s\S]*src\/user\.ts:2:/) });
  expect(failed).toMatchObject({ stderr: expect.not.stringContaining('other/index.js:') });
});

test('it is kept until one of its files changes', async () => {
  const program = join(app, 'src/main.ts');
  const bundle = await bundledProgram(program);
  await writeFile(bundle, `${await readFile(bundle, 'utf8')}\nconsole.log('kept');`);
  expect((await run(await bundledProgram(program))).stdout).toContain('kept');
  await module(`'changed'`);
  expect((await run(await bundledProgram(program))).stdout).toBe('changed false true\n');
});

test('it is made anew when another version of a package is meant: the old one stays where it was', async () => {
  const program = join(app, 'src/main.ts');
  for (const lock of ['pnpm-lock.yaml', 'package-lock.json']) {
    const bundle = await bundledProgram(program);
    await writeFile(bundle, `${await readFile(bundle, 'utf8')}\nconsole.log('kept');`);
    await write(lock, 'another version');
    expect((await run(await bundledProgram(program))).stdout).not.toContain('kept');
  }
});
