import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { readWorkspace, type Workspace } from '../src/workspace.ts';

/** Paths from the root, and what the files hold; undefined takes a file away. */
export type Tree = Record<string, string | undefined>;

const manifest = (name: string, more: object = {}) =>
  JSON.stringify({ name, private: true, license: 'MIT', ...more }, undefined, 2);

const scripts = Object.fromEntries(
  ['start', 'worker', 'test', 'e2e', 'typecheck', 'build'].map((name) => [name, `run ${name}`]),
);

/** The smallest repository that keeps every rule. */
export const good: Tree = {
  'package.json': manifest('root', { devDependencies: { zod: 'catalog:' } }),
  'pnpm-workspace.yaml': 'catalog:\n  zod: 4.6.7\n',
  'README.md': '# Root\n\nSee [the app](apps/shop/README.md#break-it).\n',
  'apps/shop/package.json': manifest('shop', { scripts }),
  'apps/shop/README.md':
    '# Shop\n\n## Problem\n## Guarantees\n## What can fail\n## Run\n## Break it\n## How it works\n## Files\n',
  'apps/shop/src/contract.ts': `export const queue = 'shop';\n`,
  'apps/shop/src/workflows.ts': `import { sleep } from '@temporalio/workflow';
import { patience } from '@repo/patience';
import type { Activities } from './activities.ts';
import { queue } from './contract.ts';
export const order = async (activities: Activities) => [await sleep(patience), activities, queue];
`,
  'apps/shop/src/activities.ts': `import type { Services } from './services.ts';
export type Activities = Services;
`,
  'apps/shop/src/services.ts': `import { queue } from './contract.ts';
export type Services = typeof queue;
`,
  'apps/shop/src/worker.ts': `import './activities.ts';\n`,
  'apps/shop/src/starter.ts': `import type { order } from './workflows.ts';\nexport type Order = typeof order;\n`,
  'apps/shop/src/extras/cli.ts': `import '../starter.ts';\n`,
  'packages/patience/package.json': manifest('@repo/patience', {
    scripts: { typecheck: 'tsc' },
    exports: { '.': './src/index.ts' },
    workflowSafe: true,
  }),
  'packages/patience/src/index.ts': `export const patience = 1000;\n`,
};

/** Writes `good` and the violations planted in it to a folder that goes away with the test. */
export function planted(plants: Tree = {}): Workspace {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'house-rules-')));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries({ ...good, ...plants })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readWorkspace(root);
}

/** Lets the planted apps find this package's dependencies, and the planted packages by their names. */
export function installed(workspace: Workspace): Workspace {
  symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(workspace.root, 'node_modules'));
  for (const app of workspace.apps) {
    mkdirSync(join(workspace.root, app.path, 'node_modules/@repo'), { recursive: true });
    for (const { folder, path } of workspace.packages) {
      symlinkSync(join(workspace.root, path), join(workspace.root, app.path, 'node_modules/@repo', folder));
    }
  }
  return workspace;
}

/** A package.json as the planted repository has it, with something else in it. */
export function manifestWith(path: string, change: object): Tree {
  return { [path]: JSON.stringify({ ...JSON.parse(good[path] ?? '{}'), ...change }, undefined, 2) };
}
