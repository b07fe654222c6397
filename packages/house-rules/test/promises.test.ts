import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { installed, planted } from './planted.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

const workflows = `import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from './activities.ts';

const { pay, ship } = proxyActivities<Activities>({ startToCloseTimeout: '1 second' });

export async function order(items: string[]): Promise<void> {
  pay(items[0] ?? '');
  ship.executeWithOptions({ summary: 'late' }, [items[0] ?? '']);
  items.forEach(async (item) => ship(item));
  await pay(items[1] ?? '');
}
`;

const activities = `import { Context } from '@temporalio/activity';

const send = async (what: string): Promise<string> => what;

export const createActivities = () => ({
  pay: async (what: string): Promise<string> => {
    send(what);
    return await Context.current().sleep(1).then(() => what);
  },
  ship: async (what: string): Promise<string> => send(what),
});

export type Activities = ReturnType<typeof createActivities>;
`;

// With the repository's own configuration: it is what has to find them.
test('promises that nobody awaits are found, of proxied activities too', { timeout: 30_000 }, () => {
  const { root } = installed(
    planted({
      '.oxlintrc.json': readFileSync(join(repository, '.oxlintrc.json'), 'utf8'),
      'apps/shop/src/workflows.ts': workflows,
      'apps/shop/src/activities.ts': activities,
      'apps/shop/tsconfig.json': JSON.stringify({ extends: join(repository, 'tsconfig.base.json'), include: ['src'] }),
    }),
  );
  const files = ['workflows', 'activities'].map((name) => `apps/shop/src/${name}.ts`);
  const { stdout, status, stderr } = spawnSync(
    join(repository, 'node_modules/.bin/oxlint'),
    ['--format', 'unix', ...files],
    {
      cwd: root,
      encoding: 'utf8',
      // It looks for its type-aware half from the folder that it runs in, and that is a planted one.
      env: { ...process.env, OXLINT_TSGOLINT_PATH: join(repository, 'node_modules/.bin/tsgolint') },
    },
  );
  expect(stderr).toBe('');
  const found = [...stdout.matchAll(/^(\S+?:\d+):.*\((\S+)\)\]$/gm)].map(([, where, rule]) => `${where} ${rule}`);
  expect(found.toSorted()).toEqual([
    'apps/shop/src/activities.ts:7 no-floating-promises',
    'apps/shop/src/workflows.ts:7 no-floating-promises',
    'apps/shop/src/workflows.ts:8 no-floating-promises',
    'apps/shop/src/workflows.ts:9 no-misused-promises',
  ]);
  expect(status).toBe(1);
});
