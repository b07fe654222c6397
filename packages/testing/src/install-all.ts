import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Installs the whole workspace if a part of it is not installed: a first command with a filter, such as
// `pnpm --filter trip-saga start`, installs what that app needs and nothing else. Imports nothing that is installed.

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The folders of all apps and packages, such as `apps/trip-saga`. */
export const members: string[] = ['apps', 'packages'].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => `${group}/${name}`)
    .filter((path) => existsSync(join(root, path, 'package.json'))),
);

const installed = (path: string) => {
  const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  return names.every((name) => existsSync(join(root, path, 'node_modules', name)));
};

if (!members.every(installed)) {
  // Under pnpm this is pnpm's own program; started by hand there may be none on PATH.
  const pnpm = process.env.npm_execpath;
  const [command, ...args] = pnpm?.endsWith('js') ? [process.execPath, pnpm] : [pnpm ?? 'pnpm'];
  const { status } = spawnSync(command, [...args, 'install', '--frozen-lockfile'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error('Not everything is installed.\n→ Run `pnpm install` (or `npx -y pnpm@12 install`).');
    process.exit(1);
  }
}
