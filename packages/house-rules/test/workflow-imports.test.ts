import { describe, expect, test } from 'vitest';
import { workflowBundle } from '../src/rules/workflow-bundle.ts';
import { workflowSource } from '../src/rules/workflow-source.ts';
import { installed, manifestWith, planted } from './planted.ts';

const rule = 'workflow-imports';
const workflows = 'apps/shop/src/workflows.ts';
const patience = 'packages/patience/package.json';

describe('what a workflow file names', () => {
  test('finds nothing where it names the SDK, the contract, a safe package and types of activities', () => {
    expect(workflowSource(planted())).toEqual([]);
  });

  test.each([
    [`import fs from 'node:fs';`, 'node:fs', 'workflows decide, activities touch the world'],
    [`import type { Pool } from 'pg';`, 'pg', 'workflows decide, activities touch the world'],
    [`import { Client } from '@temporalio/client';`, '@temporalio/client', 'take it from @temporalio/workflow'],
    [`import { pay } from '@repo/patience/pay';`, '@repo/patience/pay', 'not workflow-safe'],
  ])('%s', (source, specifier, why) => {
    const workspace = planted({
      ...manifestWith(patience, { workflowSafe: ['.'] }),
      'apps/shop/src/workflows/index.ts': `import { patience } from '@repo/patience';\n${source}`,
    });
    expect(workflowSource(workspace)).toEqual([
      {
        rule,
        file: 'apps/shop/src/workflows/index.ts',
        line: 2,
        message: expect.stringContaining(`imports ${specifier}: ${why}`),
      },
    ]);
  });
});

describe('what a workflow bundle reaches', { timeout: 60_000 }, () => {
  test('finds nothing where everything reached is allowed', async () => {
    expect(await workflowBundle(installed(planted()))).toEqual([]);
  });

  test('names each module that is not', async () => {
    const workspace = planted({
      'apps/shop/src/contract.ts': `export * from '@repo/patience';\nexport { prices } from './extras/prices.ts';`,
      'apps/shop/src/extras/prices.ts': `export const prices = [1];`,
      ...manifestWith(patience, { workflowSafe: ['./contract'], exports: { '.': './src/index.ts' } }),
      'packages/patience/src/index.ts': `import { parse } from 'yaml';\nexport const patience = parse('1');`,
      'packages/hurry/package.json': '{ "name": "@repo/hurry" }',
      'packages/hurry/src/index.ts': 'export const hurry = 1;',
      [workflows]: `import { hurry } from '../../../packages/hurry/src/index.ts';
import { patience, prices } from './contract.ts';
export const order = async () => [hurry, patience, prices];`,
    });
    const found = await workflowBundle(installed(workspace));
    expect(found.map(({ message }) => message).sort()).toEqual([
      'reaches apps/shop/src/extras/prices.ts: a workflow consists of its own files and the contract; call the rest in activities',
      'reaches packages/hurry/src/index.ts: @repo/hurry is not workflow-safe; call it in an activity, or, if nothing in it reaches Node, the network or a clock, say "workflowSafe" in its package.json',
      'reaches packages/patience/src/index.ts: "." is not among the workflow-safe entries of @repo/patience (./contract); import one of those',
      'reaches the npm package yaml; use it in an activity, or, if it is pure, allow it with a reason in workflow-bundle.ts',
    ]);
    expect(new Set(found.map(({ rule, file }) => `${rule} ${file}`))).toEqual(new Set([`${rule} ${workflows}`]));
  });

  test.each([
    [
      'node:fs',
      'reaches node:fs (through packages/patience/src/index.ts): a workflow has none of Node; call it in an activity',
    ],
    ['fs', 'reaches fs: a workflow has none of Node; call it in an activity'],
  ])('names %s, reached through a package', async (module, message) => {
    const source = `import { readFileSync } from '${module}';\nexport const patience = readFileSync.length;`;
    const workspace = installed(planted({ 'packages/patience/src/index.ts': source }));
    expect(await workflowBundle(workspace)).toEqual([{ rule, file: workflows, message }]);
  });

  test('says so if the workflows cannot be bundled', async () => {
    const source = `import { gone } from './gone.ts';\nexport const order = async () => gone;`;
    const message = `cannot be bundled: Module not found: Error: Can't resolve './gone.ts' in 'apps/shop/src'`;
    expect(await workflowBundle(installed(planted({ [workflows]: source })))).toEqual([
      { rule, file: workflows, message: expect.stringContaining(message) },
    ]);
  });
});
