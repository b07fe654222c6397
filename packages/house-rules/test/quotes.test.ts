import { describe, expect, test } from 'vitest';
import { quotes } from '../src/rules/quotes.ts';
import { planted } from './planted.ts';

const file = 'docs/page.md';
const source = 'apps/shop/src/quoted.ts';
const code = 'export function pay() {\n  if (late) {\n    remind();\n  }\n  charge();\n}\n';
const quoting = (text: string, path = source) =>
  planted({ [source]: code, [file]: `# Page\n\n\`\`\`ts ${path}\n${text}\n\`\`\`\n` });

describe('quotes', () => {
  test.each([
    ['a whole file', code],
    ['some lines, with less indentation', 'if (late) {\n  remind();\n}'],
    ['lines with others left out', 'export function pay() {\n  …\n  charge();\n}'],
  ])('may be %s', (_, text) => {
    expect(quotes(quoting(text))).toEqual([]);
  });

  test.each([
    ['what is not there', 'refund();', 'refund();'],
    ['what has changed', 'if (late) {\n  remind(twice);\n}', 'if (late) {'],
    ['what stands in another order', 'charge();\n…\nremind();', 'remind();'],
  ])('may not be %s', (_, text, first) => {
    const message = `${source} does not say (any more, or in this place): ${first}`;
    expect(quotes(quoting(text))).toEqual([{ rule: 'quotes', file, line: 3, message }]);
  });

  test('may not be from nowhere', () => {
    const message = 'code is quoted from apps/shop/gone.ts, which is not there';
    expect(quotes(quoting('pay();', 'apps/shop/gone.ts'))).toEqual([{ rule: 'quotes', file, line: 3, message }]);
  });
});
