import { expect, it } from 'vitest';
import { movedMarkdown } from '../src/markdown.ts';

const places = new Map([
  ['apps/shop/src/worker.ts', 'src/worker.ts'],
  ['packages/kit', 'vendor/kit'],
  ['packages/kit/README.md', 'vendor/kit/README.md'],
]);
const moved = (text: string, from = 'apps/shop/README.md', to = 'README.md'): string =>
  movedMarkdown(text, { from, to, placeOf: (path) => places.get(path) });

it.each([
  ['[worker](src/worker.ts#L3)', '[worker](src/worker.ts#L3)'],
  ['([the `kit`](../../packages/kit/)) and', '([the `kit`](vendor/kit)) and'],
  ['[page](../../packages/kit/README.md#use "title")', '[page](vendor/kit/README.md#use "title")'],
  ['| [../../packages/kit](../../packages/kit) | cell |', '| [../../packages/kit](vendor/kit) | cell |'],
  ['see [why **so**](../../docs/why.md), or not', 'see why **so**, or not'],
  ['![a picture](../../docs/picture.png)', 'a picture'],
  ['[kit]\n\n[kit]: ../../packages/kit', '[kit]\n\n[kit]: vendor/kit'],
  ['[web](https://example.org/a) [here](#run)', '[web](https://example.org/a) [here](#run)'],
  ['```md\n[code](../../docs/why.md)\n```', '```md\n[code](../../docs/why.md)\n```'],
])('%s', (text, copy) => expect(moved(text)).toBe(copy));

it('counts from where the page is', () => {
  expect(moved('[app](../../apps/shop/src/worker.ts)', 'packages/kit/README.md', 'vendor/kit/README.md')).toBe(
    '[app](../../src/worker.ts)',
  );
});

it('refuses a definition of a link that does not come along', () => {
  expect(() => moved('\n[why]: ../../docs/why.md')).toThrow(
    'apps/shop/README.md:2 defines a link to ../../docs/why.md, which a copy does not have: write it inline',
  );
});
