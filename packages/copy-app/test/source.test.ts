import { expect, it } from 'vitest';
import { rewrittenSource } from '../src/plan.ts';
import { planted } from './planted.ts';

const names = { app: 'shop', vendored: new Set(['kit', 'bench']), scripts: new Set(['start', 'stack']) };
const rewritten = (text: string): string => rewrittenSource(planted(), names, 'apps/shop/src/file.ts', text);

it.each([
  [`import { kit } from '@repo/kit';`, `import { kit } from '#kit';`],
  [`import type { Kit } from "@repo/kit/late";`, `import type { Kit } from "#kit/late";`],
  [`import '@repo/bench/setup';`, `import '#bench/setup';`],
  [`export * from '@repo/kit';`, `export * from '#kit';`],
  [`export { kit } from '@repo/kit';`, `export { kit } from '#kit';`],
  [`const late = await import('@repo/kit/late');`, `const late = await import('#kit/late');`],
  [`type Kit = typeof import('@repo/kit');`, `type Kit = typeof import('#kit');`],
  [`import kit = require('@repo/kit');`, `import kit = require('#kit');`],
  [`declare module '@repo/kit' { interface Kit {} }`, `declare module '#kit' { interface Kit {} }`],
  [`vi.mock('@repo/kit', () => ({}));`, `vi.mock('#kit', () => ({}));`],
  [`import.meta.resolve('@repo/kit/late');`, `import.meta.resolve('#kit/late');`],
])('a module is found at its new place: %s', (text, copy) => expect(rewritten(text)).toBe(copy));

it('changes hints and comments, and not one other character', () => {
  const text = `#!/usr/bin/env node
/** See \`pnpm --filter shop start\`,   @repo/kit. 🚀 */
import   {kit}   from  '@repo/kit'   // untidy, on purpose
const pnpm = { stack: 1 }, hint = \`\${kit} — run \\\`pnpm stack reset\\\`, \${'or pnpm stack'}\`;
const text = 'caf\u00e9 \\u{1F680}', pattern = /@repo.x/;\r
`;
  expect(rewritten(text)).toBe(
    text
      .replace('pnpm --filter shop start', 'npm start')
      .replace('@repo/kit.', '#kit.')
      .replace(`'@repo/kit'`, `'#kit'`)
      .replace('pnpm stack reset', 'npm run stack -- reset')
      .replace('or pnpm stack', 'or npm run stack'),
  );
});

it('refuses what cannot be parsed, and names the file', () => {
  expect(() => rewritten('import { from')).toThrow('apps/shop/src/file.ts cannot be parsed');
});
