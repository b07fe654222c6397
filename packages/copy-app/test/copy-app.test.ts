import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '@repo/worker-kit/errors';
import { expect, it } from 'vitest';
import { copyApp } from '../src/copy-app.ts';
import { explained } from '../src/destination.ts';
import type { Repository } from '../src/repository.ts';
import { everythingIn, planted, temporaryFolder } from './planted.ts';

const copyShop = (repository: Repository, from: string, folder = 'my-shop', signal?: AbortSignal) =>
  copyApp(repository, { app: 'shop', folder, from }, signal);

it('makes a folder that others may enter, with programs that may be run', async () => {
  const from = temporaryFolder();
  expect(await copyShop(planted(), from)).toEqual({
    folder: join(from, 'my-shop'),
    name: 'my-shop',
    exists: false,
    files: 17,
  });
  expect(everythingIn(from)).toContain('my-shop/vendor/kit/src/index.ts');
  const modes = ['', 'infra/servers/temporal/run', 'package.json'].map(
    (path) => statSync(join(from, 'my-shop', path)).mode,
  );
  const umask = process.umask();
  expect(modes.map((mode) => mode & 0o777)).toEqual([0o777 & ~umask, 0o777 & ~umask, 0o666 & ~umask]);
});

it('fills an empty folder, and keeps it: somebody may be in it', async () => {
  const folder = join(temporaryFolder(), 'my-shop');
  mkdirSync(folder);
  const before = statSync(folder).ino;
  await copyShop(planted(), folder, '.');
  expect(statSync(folder).ino).toBe(before);
  expect(everythingIn(folder).filter((path) => !path.includes('/'))).toEqual([
    '.gitignore',
    'LICENSE',
    'README.md',
    'infra',
    'migrations',
    'package.json',
    'src',
    'test',
    'tsconfig.json',
    'vendor',
  ]);
});

it.each([
  ['an app that does not exist', 'ship', 'my-shop', 'app: there is no app "ship"; there is shop'],
  ['a folder with something in it', 'shop', 'full', /^folder: .*\/full is not empty$/],
  ['a file', 'shop', 'full/file', /^folder: .*\/full\/file is there already, and is not a folder$/],
  ['a link to nowhere', 'shop', 'full/nowhere', /^folder: .*\/full\/nowhere is there already, and is not a folder$/],
  [
    'a folder below nothing',
    'shop',
    'none/my-shop',
    /^folder: there is no folder .*\/none to put it in; make it first$/,
  ],
  ['capitals', 'shop', 'MyShop', /"MyShop" cannot be one: npm wants lower-case letters/],
  ['the name of a part of Node', 'shop', 'http', /"http" cannot be one: it means something else$/],
  ['the name of something that it uses', 'shop', 'pg', /"pg" is a package that it uses$/],
])('refuses %s, and leaves nothing behind', async (_, app, folder, message) => {
  const from = temporaryFolder();
  mkdirSync(join(from, 'full'));
  writeFileSync(join(from, 'full/file'), '');
  symlinkSync('gone', join(from, 'full/nowhere'));
  const before = everythingIn(from);
  await expect(copyApp(planted(), { app, folder, from })).rejects.toMatchObject({
    name: 'InvalidInputError',
    message: expect.stringMatching(message),
  });
  expect(everythingIn(from)).toEqual(before);
});

it.each(['', 'apps', 'new'])('refuses a folder in the repository, also by way of a link: %s', async (inside) => {
  const repository = planted();
  const from = temporaryFolder();
  symlinkSync(repository.root, join(from, 'link'));
  for (const start of [repository.root, join(from, 'link')]) {
    await expect(copyShop(repository, start, join('.', inside))).rejects.toThrow(
      /lies in the repository that is copied from/,
    );
  }
  expect(everythingIn(repository.root)).not.toContain('new');
});

it('leaves nothing behind when something in the repository cannot be copied', async () => {
  const from = temporaryFolder();
  const repository = planted({ 'apps/shop/src/worker.ts': `import 'zod';` });
  await expect(copyShop(repository, from)).rejects.toThrow(
    'A copy of shop would not work without this repository:\n  src/worker.ts:1 imports zod',
  );
  expect(everythingIn(from)).toEqual([]);
});

it.each(['my-shop', '.'])('leaves nothing behind when it is interrupted while it writes: %s', async (folder) => {
  const from = join(temporaryFolder(), 'empty');
  mkdirSync(from);
  const interrupted = new AbortController();
  const copying = copyShop(planted(), from, folder, interrupted.signal);
  const partial = () =>
    everythingIn(from).filter((path) => path.endsWith('package.json') || path.endsWith('worker.ts'));
  await expect.poll(partial, { interval: 0 }).not.toEqual([]);
  interrupted.abort(new Error('Ctrl-C'));
  await expect(copying).rejects.toThrow('Ctrl-C');
  expect(everythingIn(from)).toEqual([]);
});

it.runIf(process.getuid?.() !== 0)('says where it may not write', async () => {
  const from = temporaryFolder();
  chmodSync(from, 0o500);
  await expect(copyShop(planted(), from)).rejects.toBeInstanceOf(OperatorError);
});

it.each([
  ['EACCES', 'Not allowed to write /there.'],
  ['EROFS', 'Not allowed to write /there.'],
  ['ENOSPC', 'No space left on the disk for /there.'],
  ['ENAMETOOLONG', 'Cannot write /there: ENAMETOOLONG'],
  ['ENOTEMPTY', 'folder: /there is there already, and is not empty'],
])('%s is for the operator, without a stack trace', (code, message) => {
  expect(explained(Object.assign(new Error(code), { code, syscall: 'mkdir' }), '/there')).toMatchObject({ message });
});

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

async function run(args: string[], from: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, ...args], {
    env: { ...process.env, INIT_CWD: from },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

it.each([
  ['no arguments', [], 'copy-app: wants an app and a folder\n\npnpm copy-app <app> <folder>'],
  ['an option that does not exist', ['trip-saga', 'x', '--force'], `copy-app: Unknown option '--force'`],
  ['an app that does not exist', ['shop', 'x'], 'app: there is no app "shop"; there '],
])('the command refuses %s with exit code 2', async (_, args, message) => {
  const from = temporaryFolder();
  const { code, output } = await run(args, from);
  expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining(message) });
  expect(output).not.toContain('    at ');
  expect(everythingIn(from)).toEqual([]);
});
