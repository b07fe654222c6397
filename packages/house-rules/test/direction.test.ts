import { describe, expect, test } from 'vitest';
import { direction } from '../src/rules/direction.ts';
import { good, manifestWith, planted, type Tree } from './planted.ts';

const shop = 'apps/shop/src';
const bank: Tree = { 'apps/bank/package.json': '{ "name": "bank" }', 'apps/bank/src/contract.ts': '' };

describe('direction', () => {
  test('finds nothing where every import goes the right way', () => {
    expect(direction(planted())).toEqual([]);
  });

  test.each<[plant: string, file: string, source: string, message: string]>([
    [
      'the core imports extras',
      `${shop}/worker.ts`,
      `import './activities.ts';\nimport './extras/cli.ts';`,
      'imports ./extras/cli.ts: the core does without extras; move what it needs into the core or a package',
    ],
    [
      'the core imports a type of extras',
      `${shop}/contract.ts`,
      `export type Menu = 1;\nexport type { Scenario } from './extras/scenarios.ts';`,
      'imports ./extras/scenarios.ts: the core does without extras; move what it needs into the core or a package',
    ],
    [
      'the contract imports services',
      `${shop}/contract.ts`,
      `\nimport type { Services } from './services.ts';`,
      'imports ./services.ts: contract may import contract; move what it needs there',
    ],
    [
      'services import activities',
      `${shop}/services.ts`,
      `\nimport { createActivities } from './activities.ts';`,
      'imports ./activities.ts: services may import contract, services; move what it needs there',
    ],
    [
      'activities import workflows, late',
      `${shop}/activities.ts`,
      `export const late = async () =>\n  (await import('./workflows.ts')).order;`,
      'imports ./workflows.ts: activities may import contract, services; move what it needs there',
    ],
    [
      'workflows import activities as code',
      `${shop}/workflows.ts`,
      `\nimport { type Activities } from './activities.ts';`,
      'imports ./activities.ts into workflows as code: write import type',
    ],
    [
      'the starter imports the worker',
      `${shop}/starter.ts`,
      `\nexport * from './worker.ts';`,
      'imports ./worker.ts: starter may import contract, types of workflows; move what it needs there',
    ],
    [
      'a relative path leaves the app',
      `${shop}/services.ts`,
      `\nimport { patience } from '../../../packages/patience/src/index.ts';`,
      'imports ../../../packages/patience/src/index.ts, outside of apps/shop: import a package by its name, @repo/…',
    ],
    [
      'an app imports another app',
      'apps/shop/test/shop.test.ts',
      `\nimport { queue } from 'bank/src/contract.ts';`,
      'imports bank/src/contract.ts, another app: move what both need into a package',
    ],
    [
      'a package imports an app',
      'packages/patience/src/index.ts',
      `\ntype Bank = typeof import('bank');`,
      'imports bank, an app: a package knows no app; let the app pass in what the package needs',
    ],
    [
      'a package reaches into an app',
      'packages/patience/src/index.ts',
      `\nimport '../../../apps/bank/src/contract.ts';`,
      'imports ../../../apps/bank/src/contract.ts, outside of packages/patience: import a package by its name, @repo/…',
    ],
  ])('%s', (_, file, source, message) => {
    expect(direction(planted({ ...bank, [file]: source }))).toEqual([{ rule: 'direction', file, line: 2, message }]);
  });

  test('lets extras and tests import anything of their app', () => {
    const source = `import '../src/worker.ts'; import '../src/extras/cli.ts';`;
    expect(direction(planted({ 'apps/shop/test/shop.test.ts': source }))).toEqual([]);
  });

  test('lets services have a folder, which the core may import and which imports no extras', () => {
    const { [`${shop}/services.ts`]: whole = '' } = good;
    const parted: Tree = {
      [`${shop}/services.ts`]: `import './services/store.ts';\n${whole}`,
      [`${shop}/services/store.ts`]: `import type { Services } from '../services.ts';`,
    };
    expect(direction(planted(parted))).toEqual([]);
    const file = `${shop}/services/store.ts`;
    const astray = planted({ ...parted, [file]: `import '../extras/cli.ts';` });
    expect(direction(astray)).toMatchObject([
      { file, message: expect.stringContaining('the core does without extras') },
    ]);
  });

  test('does not pass over a file that it cannot read', () => {
    const broken = planted({ [`${shop}/worker.ts`]: 'import {' });
    expect(() => direction(broken)).toThrow('apps/shop/src/worker.ts cannot be parsed');
  });

  test('knows an app by the name in its package.json', () => {
    const renamed = planted({
      ...manifestWith('apps/shop/package.json', { name: 'store' }),
      'packages/patience/src/index.ts': `import 'store';`,
    });
    expect(direction(renamed).map(({ file }) => file)).toEqual(['packages/patience/src/index.ts']);
  });
});
