import { expect, it } from 'vitest';
import { dependenceOn } from '../src/independence.ts';
import { manifestWith, planned, type Tree, textOf } from './planted.ts';

it('has the app, what it reaches of packages, and the servers; nothing that tools made and no secrets', () => {
  const { repository, plan } = planned();
  expect([...plan.files.keys()].sort()).toEqual([
    '.gitignore',
    'LICENSE',
    'README.md',
    'infra/servers/README.md',
    'infra/servers/temporal/go.mod',
    'infra/servers/temporal/run',
    'migrations/1.sql',
    'package.json',
    'src/worker.ts',
    'test/worker.test.ts',
    'tsconfig.json',
    'vendor/bench/src/setup.ts',
    'vendor/kit/README.md',
    'vendor/kit/src/daemon.ts',
    'vendor/kit/src/index.ts',
    'vendor/kit/src/late.ts',
    'vendor/kit/src/stack.ts',
  ]);
  expect(dependenceOn(repository.root, plan)).toEqual([]);
});

it('merges the dependencies, with the versions of the catalog', () => {
  const { plan } = planned();
  expect(plan.manifest).toEqual({
    name: 'my-shop',
    version: '0.0.0',
    private: true,
    type: 'module',
    license: 'MIT',
    engines: { node: '>=20.19' },
    scripts: {
      start: 'node src/worker.ts',
      test: 'vitest run',
      pretest: 'node vendor/kit/src/stack.ts prepare',
      stack: 'node vendor/kit/src/stack.ts',
    },
    imports: { '#bench/setup': './vendor/bench/src/setup.ts', '#kit': './vendor/kit/src/index.ts' },
    dependencies: { pg: '8.1.0', protobufjs: '8.8.1' },
    devDependencies: { '@types/pg': '8.0.1', vitest: '4.0.0' },
    overrides: { bundler: '1.0.0' },
    allowScripts: { esbuild: true },
  });
  expect(JSON.parse(textOf(plan, 'package.json'))).toEqual(plan.manifest);
});

it('what a package needs at run time is no development dependency, and optional ones stay optional', () => {
  const { plan } = planned(
    manifestWith('packages/kit/package.json', {
      dependencies: { vitest: 'catalog:' },
      optionalDependencies: { linux: '1.0.0', pg: 'catalog:' },
    }),
  );
  expect(plan.manifest).toMatchObject({
    dependencies: { pg: '8.1.0', protobufjs: '8.8.1', vitest: '4.0.0' },
    devDependencies: { '@types/pg': '8.0.1' },
    optionalDependencies: { linux: '1.0.0' },
  });
  expect(plan.manifest.optionalDependencies).not.toHaveProperty('pg');
});

it('speaks of its own commands and places', () => {
  const { plan } = planned();
  expect(textOf(plan, 'README.md')).toMatch(
    /^# shop\n\nRun `npm start -- --once`. See \[the kit\]\(vendor\/kit\)\.\n\n## This/,
  );
  expect(textOf(plan, 'vendor/kit/README.md')).toBe('# #kit\n\nHints of the repository.\n');
  expect(textOf(plan, 'vendor/kit/src/late.ts')).toBe(`export const late = 'npm run stack -- reset';\n`);
  expect(textOf(plan, 'migrations/1.sql')).toBe('-- As #kit wants it.\n');
  expect(textOf(plan, '.gitignore')).toBe('node_modules/\n.env\n');
  expect(JSON.parse(textOf(plan, 'tsconfig.json'))).toEqual({
    compilerOptions: { strict: true, noEmit: true },
    include: ['src', 'test', 'vendor'],
  });
});

it('keeps every byte of the sources of servers, whose cache goes by them, and the right to run', () => {
  const { plan } = planned();
  expect(textOf(plan, 'infra/servers/temporal/go.mod')).toBe('// as packages/kit wants it\n');
  expect(textOf(plan, 'infra/servers/README.md')).toBe('Built by `vendor/kit`; `npm run stack -- prepare`.\n');
  expect(plan.files.get('infra/servers/temporal/run')?.executable).toBe(true);
  expect(plan.files.get('src/worker.ts')?.executable).toBe(false);
});

const worker = 'apps/shop/src/worker.ts';

it.each<[what: string, plants: Tree, message: string]>([
  [
    'a package that does not exist',
    { [worker]: `\nimport '@repo/gone';` },
    `${worker}:2 imports @repo/gone: there is no package @repo/gone`,
  ],
  [
    'an entry that does not exist',
    { [worker]: `import '@repo/kit/deep';` },
    `${worker}:1 imports @repo/kit/deep: "exports" in packages/kit/package.json must say in one string which file "./deep" is`,
  ],
  [
    'an entry with conditions',
    manifestWith('packages/kit/package.json', { exports: { '.': { import: './src/index.ts' } } }),
    `${worker}:1 imports @repo/kit: "exports" in packages/kit/package.json must say in one string which file "." is`,
  ],
  [
    'a package that counts on the apps beside it',
    { 'packages/kit/src/index.ts': `export const apps = new URL('../../../apps/', import.meta.url);` },
    'packages/kit/src/index.ts:1 refers to ../../../apps/, outside of packages/kit: a copy would not find it',
  ],
  [
    'a dependency without a version',
    manifestWith('packages/kit/package.json', { dependencies: { zod: 'catalog:' } }),
    'packages/kit/package.json wants zod "catalog:", which the catalog does not have',
  ],
])('refuses %s, and says where', (_, plants, message) => {
  expect(() => planned(plants)).toThrow(message);
});

it.each<[what: string, plants: Tree, problem: string]>([
  ['a name put together', { [worker]: `export const x = '@repo/' + 1;` }, 'src/worker.ts:1 has @repo/'],
  ['a version of the workspace', { 'apps/shop/x.json': '{ "pg": "catalog:" }' }, 'x.json:1 has catalog:'],
  [
    'a file that is not there',
    { [worker]: `import './gone.ts';` },
    'src/worker.ts:1 imports ./gone.ts, which is not in the copy',
  ],
  [
    'what nobody declares',
    { [worker]: `import 'zod/mini';` },
    'src/worker.ts:1 imports zod/mini, which is not a dependency in package.json',
  ],
  [
    'an alias of nothing',
    { [worker]: `import '#gone';` },
    'src/worker.ts:1 imports #gone, which is not in "imports" of package.json',
  ],
  [
    'a path out of it',
    { [worker]: `\nexport const x = new URL('../../x', import.meta.url);` },
    'src/worker.ts:2 refers to ../../x, outside of the copy',
  ],
])('finds %s', (_, plants, problem) => {
  const { repository, plan } = planned(plants);
  expect(dependenceOn(repository.root, plan)).toEqual([problem]);
});

it('finds a script that runs what stays behind', () => {
  const scripts = {
    start: 'node ./src/worker.ts',
    build: 'node dist/x.js',
    bench: 'node ../../packages/bench/src/x.ts',
  };
  const { repository, plan } = planned(manifestWith('apps/shop/package.json', { scripts }));
  expect(dependenceOn(repository.root, plan)).toEqual([
    'package.json: the script "bench" runs ../../vendor/bench/src/x.ts, which is not in the copy',
  ]);
});

it('finds a link that leads nowhere', () => {
  const { repository, plan } = planned();
  const content =
    '[servers](../infra/servers/) [kit](../vendor/kit#kit)\n\n[out](../../docs/why.md) [web](https://example.org)';
  plan.files.set('docs/page.md', { content, executable: false });
  expect(dependenceOn(repository.root, plan)).toEqual([
    'docs/page.md:3 has a link to ../../docs/why.md, which is not in the copy',
  ]);
});

it('finds the path of the repository, but in recorded histories', () => {
  const { repository, plan } = planned();
  const content = `{ "stack": "${repository.root}/apps/shop" }`;
  plan.files.set('test/histories/one.json', { content, executable: false });
  expect(dependenceOn(repository.root, plan)).toEqual([]);
  plan.files.set('settings.json', { content, executable: false });
  expect(dependenceOn(repository.root, plan)).toEqual([`settings.json:1 has the path ${repository.root}`]);
});
