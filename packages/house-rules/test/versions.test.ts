import { describe, expect, test } from 'vitest';
import { versions } from '../src/rules/versions.ts';
import { manifestWith, planted } from './planted.ts';

const rule = 'versions';
const file = 'pnpm-workspace.yaml';

describe('versions', () => {
  test('finds nothing where every dependency comes from the catalog, and back', () => {
    expect(versions(planted())).toEqual([]);
  });

  test.each([
    ['zod', '^4.0.0', 'zod is "^4.0.0": write catalog:, with the version in pnpm-workspace.yaml'],
    ['@repo/patience', '1.0.0', '@repo/patience is "1.0.0": write workspace:*'],
  ])('%s has a version of its own', (name, version, message) => {
    const shop = manifestWith('apps/shop/package.json', { dependencies: { [name]: version } });
    expect(versions(planted(shop))).toEqual([
      { rule, file: 'apps/shop/package.json', line: expect.any(Number), message },
    ]);
  });

  test('nobody uses an entry of the catalog', () => {
    expect(versions(planted({ [file]: `catalog:\n  '@scope/left-pad': 1.0.0\n  zod: 4.6.7\n` }))).toEqual([
      { rule, file, line: 2, message: 'nobody uses @scope/left-pad: remove it from the catalog' },
    ]);
  });

  test('there is a second catalog', () => {
    expect(versions(planted({ [file]: 'catalog:\n  zod: 4.6.7\ncatalogs:\n  old:\n    zod: 3.25.0\n' }))).toEqual([
      { rule, file, line: 2, message: 'more than one catalog is more than one version: put it into `catalog`' },
    ]);
  });

  test('a dependency brings a second copy of the SDK', () => {
    const lock = `packages:\n  '@temporalio/common@1.24.0': {}\n  '@temporalio/common@1.20.0': {}\n`;
    expect(versions(planted({ 'pnpm-lock.yaml': lock }))).toEqual([
      {
        rule,
        file,
        line: undefined,
        message: '@temporalio/* is there in 1.24.0 and 1.20.0: all of its packages must have one version',
      },
    ]);
  });
});
