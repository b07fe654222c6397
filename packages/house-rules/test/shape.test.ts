import { describe, expect, test } from 'vitest';
import { shape } from '../src/rules/shape.ts';
import { good, manifestWith, planted, type Tree } from './planted.ts';

const app = 'apps/shop/package.json';
const readme = 'apps/shop/README.md';
const package_ = 'packages/patience/package.json';
const rule = 'shape';
const headings = 'Problem · Guarantees · What can fail · Run · Break it · How it works · Files';
const scriptsOf = (path: string) => (JSON.parse(good[path] ?? '') as { scripts: Record<string, string> }).scripts;
const lines = (count: number) => '\n'.repeat(count);

describe('shape', () => {
  test('finds nothing in an app and a package of the right shape', () => {
    expect(shape(planted())).toEqual([]);
  });

  test.each<[plant: string, plants: Tree, violation: object]>([
    [
      'a script is missing',
      manifestWith(app, { scripts: { ...scriptsOf(app), e2e: undefined } }),
      { file: app, message: 'has no script "e2e": each app has start, worker, test, e2e, typecheck, build' },
    ],
    [
      'a part of the core is missing',
      { 'apps/shop/src/services.ts': undefined },
      { file: 'apps/shop', message: 'has no src/services.ts: each app has the same core' },
    ],
    [
      'something else lies beside the core',
      { 'apps/shop/src/prices.ts': '' },
      {
        file: 'apps/shop/src/prices.ts',
        message:
          'src holds contract.ts, workflows.ts, activities.ts, services.ts, worker.ts, starter.ts, contract/, workflows/, services/ and extras/: move it to extras or into a package',
      },
    ],
    [
      'the README is missing',
      { [readme]: undefined },
      { file: readme, message: `is missing: each app has one, with the headings ${headings}` },
    ],
    [
      'a heading has another name',
      { [readme]: good[readme]?.replace('What can fail', 'Failures') },
      {
        file: readme,
        line: 5,
        message: `has "## Failures" where "## What can fail" comes: the headings are ${headings}, in this order`,
      },
    ],
    [
      'a heading is missing at the end',
      { [readme]: good[readme]?.replace('## Files', '```\n## Files\n```') },
      { file: readme, message: `ends where "## Files" comes: the headings are ${headings}, in this order` },
    ],
    [
      'there is a heading too many',
      { [readme]: `${good[readme]}## Licence` },
      {
        file: readme,
        line: 10,
        message: `has "## Licence" where nothing follows: the headings are ${headings}, in this order`,
      },
    ],
    [
      'the worker is long',
      { 'apps/shop/src/worker.ts': lines(30) },
      {
        file: 'apps/shop/src/worker.ts',
        message: 'has 30 lines, 29 are allowed: move what is not Temporal to extras or worker-kit',
      },
    ],
    [
      'a file is long',
      { 'packages/patience/src/index.ts': lines(250) },
      { file: 'packages/patience/src/index.ts', message: 'has 250 lines, 249 are allowed: split index.ts' },
    ],
    [
      'a name is not in kebab-case',
      { 'packages/patience/src/slowDown.ts': '' },
      { file: 'packages/patience/src/slowDown.ts', message: 'file and folder names are in kebab-case' },
    ],
    [
      'a name says nothing',
      { 'apps/shop/src/extras/utils/prices.ts': '' },
      {
        file: 'apps/shop/src/extras/utils/prices.ts',
        message: '"utils" says nothing: name it after what it does, or move it to its only user',
      },
    ],
    [
      'a package is named otherwise than its folder',
      manifestWith(package_, { name: '@repo/calm' }),
      { file: package_, line: 2, message: '"name" must be that of the folder: "@repo/patience"' },
    ],
    [
      'a package could be published',
      manifestWith(package_, { private: undefined }),
      { file: package_, line: undefined, message: 'must say "private": true: nothing here is published' },
    ],
    [
      'a licence is missing',
      manifestWith(app, { license: 'ISC' }),
      { file: app, line: 4, message: 'must say "license": "MIT", like the LICENSE file' },
    ],
    [
      'a package is not typechecked',
      manifestWith(package_, { scripts: {} }),
      { file: package_, line: 5, message: 'has no script "typecheck": turbo passes over a package without it' },
    ],
    [
      'nobody runs the tests of a package',
      { 'packages/patience/test/patience.test.ts': '' },
      { file: package_, line: 5, message: 'has test files but no script "test": nobody would run them' },
    ],
  ])('%s', (_, plants, violation) => {
    expect(shape(planted(plants))).toEqual([{ rule, ...violation }]);
  });

  test('a script does something else than in the other apps', () => {
    const copies = ['bank', 'mail'].flatMap((name) =>
      Object.entries(good)
        .filter(([path]) => path.startsWith('apps/shop/'))
        .map(([path, text]) => [path.replace('shop', name), text?.replace('"shop"', `"${name}"`)]),
    );
    const plants = {
      ...Object.fromEntries(copies),
      ...manifestWith(app, { scripts: { ...scriptsOf(app), start: 'go' } }),
    };
    expect(shape(planted(plants))).toEqual([
      { rule, file: app, line: 6, message: 'script "start" is another one than in the other apps: run start' },
    ]);
  });
});
