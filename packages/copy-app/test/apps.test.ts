import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dependenceOn } from '../src/independence.ts';
import { planCopy } from '../src/plan.ts';
import { readRepository } from '../src/repository.ts';
import { textOf } from './planted.ts';

const repository = readRepository(fileURLToPath(new URL('../../..', import.meta.url)));
const core = /^src\/(workflows\/.*|(contract|workflows|activities|services|worker|starter)\.ts)$/;

// What only an installation shows is shown by `pnpm copy-proof`.
describe.each([...repository.apps.values()])('$folder', (app) => {
  const plan = planCopy(repository, app, 'my-project');

  it('stands alone', () => expect(dependenceOn(repository.root, plan)).toEqual([]));

  it('has the core as it is here, but for what it imports from packages', () => {
    const files = [...plan.files.keys()].filter((path) => core.test(path));
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const file of files) {
      const here = readFileSync(join(repository.root, app.path, file), 'utf8');
      expect(textOf(plan, file)).toBe(here.replace(/(from|import) '@repo\//g, `$1 '#`));
    }
  });

  it('has no command of pnpm left in what it prints and tells', () => {
    const left = [...plan.files].flatMap(([path, { content }]) => {
      const told = path.startsWith('infra/servers/') && path !== 'infra/servers/README.md' ? '' : content.toString();
      return (told.match(/.*`pnpm .*/g) ?? []).map((line) => `${path}: ${line.trim()}`);
    });
    expect(left).toEqual([]);
  });
});
