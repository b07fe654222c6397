import { expect, it } from 'vitest';
import { reworded } from '../src/wording.ts';

const names = {
  app: 'trip-saga',
  vendored: new Set(['dev-stack', 'operations']),
  scripts: new Set(['start', 'test', 'trip', 'stack', 'doctor', 'temporal']),
};

it.each([
  ['pnpm --filter trip-saga start', 'npm start'],
  ['`pnpm --filter trip-saga start …`', '`npm start -- …`'],
  ['`npx -y pnpm@12 --filter trip-saga start --once`', '`npm start -- --once`'],
  ['pnpm --filter trip-saga trip book --from BER', 'npm run trip -- book --from BER'],
  ['`pnpm test`, `pnpm stack`', '`npm test`, `npm run stack`'],
  [`Start it in another terminal: pnpm stack`, `Start it in another terminal: npm run stack`],
  ['`pnpm stack reset` empties it', '`npm run stack -- reset` empties it'],
  ['psql "$(pnpm -s stack database-url)"', 'psql "$(npm run -s stack -- database-url)"'],
  ['`pnpm run doctor` checks', '`npm run doctor` checks'],
  ['see \\`npx -y pnpm@12 run doctor\\`', 'see \\`npm run doctor\\`'],
  ['pnpm temporal workflow list\npnpm stack', 'npm run temporal -- workflow list\nnpm run stack'],
  ['([packages/operations](x))', '([vendor/operations](x))'],
  ['apps/trip-saga/src/contract.ts', 'src/contract.ts'],
  ['what @repo/operations wants; @repo/dev-stack/commands', 'what #operations wants; #dev-stack/commands'],
])('%s', (text, copy) => expect(reworded(text, names)).toBe(copy));

it.each([
  'pnpm record trip-saga an-id name',
  'pnpm --filter money-transfer start',
  'not on PATH; `npx -y pnpm@12` does as well',
  'to npx, pnpm or tsx',
  'the package that pnpm installed',
  'packages/house-rules and apps/money-transfer/src',
  'https://example.org/packages/operations',
])('leaves alone what a copy does not have: %s', (text) => expect(reworded(text, names)).toBe(text));

it('takes a package that does not come along for a word', () => {
  expect(reworded('as @repo/house-rules says', names)).toBe('as house-rules says');
});
