import { describe, expect, test } from 'vitest';
import { links } from '../src/rules/links.ts';
import { planted } from './planted.ts';

const file = 'docs/page.md';

describe('links', () => {
  test('finds nothing where every link leads somewhere', () => {
    const text = `# Page

[up](../README.md), [app](../apps/shop/README.md#what-can-fail), [folder](../apps/shop/), [here](#page), [id](#there),
[line](../apps/shop/src/workflows.ts#L3), [web](https://example.com/x.md#y), [mail](mailto:a@example.com), [ref].

<a id="there"></a>

| table | of links |
|---|---|
| [up](../README.md#root) | \`[code](gone.md)\` |

[ref]: ../README.md

\`\`\`
[in a code block](gone.md)
\`\`\`
`;
    expect(links(planted({ [file]: text }))).toEqual([]);
  });

  test.each([
    ['[gone](gone.md)', 'link to gone.md: there is no docs/gone.md'],
    ['![picture](img/gone.png)', 'link to img/gone.png: there is no docs/img/gone.png'],
    ['<img src="gone.png">', 'link to gone.png: there is no docs/gone.png'],
    ['[ref]: gone.md', 'link to gone.md: there is no docs/gone.md'],
    ['| a |\n|---|\n| [gone](gone.md) |', 'link to gone.md: there is no docs/gone.md'],
    ['[anchor](../README.md#rules)', 'link to ../README.md#rules: README.md has no "rules"; it has root'],
    ['[line](../README.md#L99)', 'link to ../README.md#L99: README.md has no "L99"; it has root'],
    [
      '[line](../apps/shop/src/worker.ts#L99)',
      'link to ../apps/shop/src/worker.ts#L99: apps/shop/src/worker.ts has no "L99"',
    ],
    ['[absolute](/README.md)', 'link to /README.md is absolute: write it relative to this file'],
    ['[out](../../elsewhere.md)', 'link to ../../elsewhere.md leads out of the repository'],
    ['Run `cd /home/ann/apps`', '/home/ann is a path of one machine: write it relative to the repository, or with ~'],
  ])('%s', (text, message) => {
    const line = text.startsWith('|') ? expect.any(Number) : 3;
    expect(links(planted({ [file]: `# Page\n\n${text}\n` }))).toEqual([{ rule: 'links', file, line, message }]);
  });
});
