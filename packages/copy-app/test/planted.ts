import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Plan, planCopy } from '../src/plan.ts';
import { type Member, type Repository, readRepository } from '../src/repository.ts';

/** Paths from the root, and what the files hold; undefined takes a file away. */
export type Tree = Record<string, string | undefined>;

const json = (value: object): string => JSON.stringify(value);

/** The smallest repository with everything that a copy has to deal with. */
const tree: Tree = {
  'package.json': json({
    name: 'root',
    engines: { node: '>=20.19' },
    scripts: { stack: 'node packages/kit/src/stack.ts', record: 'node packages/bench/src/record.ts' },
  }),
  'pnpm-workspace.yaml': `allowBuilds:\n  esbuild: true\noverrides:\n  bundler: 1.0.0\ncatalog:\n  pg: 8.1.0\n  '@types/pg': 8.0.1\n  vitest: 4.0.0\n`,
  'pnpm-lock.yaml': `snapshots:\n  '@temporalio/proto@1.0.0':\n    dependencies:\n      protobufjs: 8.8.1\n`,
  'tsconfig.base.json': json({ compilerOptions: { strict: true, noEmit: true } }),
  '.gitignore': 'node_modules/\n.turbo/\n.env\n',
  LICENSE: 'MIT\n',
  'infra/servers/README.md': 'Built by `packages/kit`; `pnpm stack prepare`.\n',
  'infra/servers/temporal/go.mod': '// as packages/kit wants it\n',
  'infra/servers/temporal/run': '#!/bin/sh\n',
  'apps/shop/package.json': json({
    name: 'shop',
    license: 'MIT',
    scripts: { start: 'node src/worker.ts', test: 'vitest run' },
    dependencies: { '@repo/kit': 'workspace:*', pg: 'catalog:' },
    devDependencies: { '@repo/bench': 'workspace:*', vitest: 'catalog:' },
  }),
  'apps/shop/tsconfig.json': json({ extends: '../../tsconfig.base.json', include: ['src', 'test'] }),
  'apps/shop/README.md': '# shop\n\nRun `pnpm --filter shop start --once`. See [the kit](../../packages/kit).\n',
  'apps/shop/.env': 'PASSWORD=secret\n',
  'apps/shop/dist/workflows.js': 'made by a tool',
  'apps/shop/migrations/1.sql': '-- As @repo/kit wants it.\n',
  'apps/shop/src/worker.ts': `import { kit } from '@repo/kit';\nimport pg from 'pg';\nexport const worker = [kit, pg];\n`,
  'apps/shop/test/worker.test.ts': `import '@repo/bench/setup';\nimport '../src/worker.ts';\n`,
  'packages/kit/package.json': json({
    name: '@repo/kit',
    exports: { '.': './src/index.ts', './late': './src/late.ts' },
    dependencies: { pg: 'catalog:' },
    devDependencies: { '@types/pg': 'catalog:', vitest: 'catalog:' },
  }),
  'packages/kit/README.md': '# @repo/kit\n\nHints of [the repository](../../docs/why.md).\n',
  'packages/kit/src/index.ts': `export const kit = new URL('./daemon.ts', import.meta.url);\n`,
  'packages/kit/src/daemon.ts': `export const root = new URL('../../..', import.meta.url);\n`,
  'packages/kit/src/late.ts': `export const late = 'pnpm stack reset';\n`,
  'packages/kit/src/stack.ts': `export const stack = import('./late.ts');\n`,
  'packages/kit/test/kit.test.ts': `import '../src/index.ts';\n`,
  'packages/bench/package.json': json({
    name: '@repo/bench',
    exports: { '.': './src/index.ts', './setup': './src/setup.ts' },
    dependencies: { vitest: 'catalog:' },
  }),
  'packages/bench/src/setup.ts': `export { vi } from 'vitest';\n`,
  'packages/bench/src/index.ts': 'export const nobody = 1;\n',
  'packages/bench/src/record.ts': `export const here = new URL('../../../apps/', import.meta.url);\n`,
  'packages/rules/package.json': json({ name: '@repo/rules' }),
};

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'copy-app-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes the tree, with what a test plants in it. */
export function planted(plants: Tree = {}): Repository {
  const root = join(temporaryFolder(), 'repository');
  for (const [path, text] of Object.entries({ ...tree, ...plants })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  chmodSync(join(root, 'infra/servers/temporal/run'), 0o755);
  return readRepository(root);
}

const shopOf = ({ apps }: Repository): Member => apps.get('shop') as Member;

/** The copy of `shop` that would be made. */
export function planned(plants: Tree = {}): { repository: Repository; plan: Plan } {
  const repository = planted(plants);
  return { repository, plan: planCopy(repository, shopOf(repository), 'my-shop') };
}

export const textOf = ({ files }: Plan, path: string): string => String(files.get(path)?.content);

/** A package.json of the tree with something else in it. */
export const manifestWith = (path: string, change: object): Tree => ({
  [path]: json({ ...JSON.parse(tree[path] ?? '{}'), ...change }),
});

/** Everything below a folder, hidden files too. */
export const everythingIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
