import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

type Versions = Record<string, string>;

/** The part of a package.json that a copy is made from. */
export interface Manifest {
  name: string;
  version?: string;
  license?: string;
  description?: string;
  engines?: Versions;
  scripts?: Record<string, string>;
  exports?: Record<string, unknown>;
  dependencies?: Versions;
  devDependencies?: Versions;
  optionalDependencies?: Versions;
}

/** An app or a package. */
export interface Member {
  /** The folder's own name. */
  folder: string;
  /** Path from the root: `apps/trip-saga`. */
  path: string;
  manifest: Manifest;
}

/** The repository that apps are copied from. Paths in it are relative to its root, with forward slashes. */
export interface Repository {
  /** Absolute, with symbolic links resolved. */
  root: string;
  manifest: Manifest;
  /** By the folder's name. */
  apps: Map<string, Member>;
  /** By the package's name: `@repo/dev-stack`. */
  packages: Map<string, Member>;
  catalog: Versions;
  /** What others depend on is to have this version. */
  overrides: Versions;
  /** Whose install scripts may run. */
  allowBuilds: Record<string, boolean>;
  /** What the lock file says of each dependency, by `name@version`. */
  locked: Record<string, { dependencies?: Versions }>;
}

/** Reads a repository. A folder below apps or packages without a package.json is not one of its members. */
export function readRepository(givenRoot: string): Repository {
  const root = realpathSync(givenRoot);
  const workspace = readYaml(root, 'pnpm-workspace.yaml') as Partial<Repository>;
  const lock = readYaml(root, 'pnpm-lock.yaml') as { snapshots?: Repository['locked'] };
  return {
    root,
    manifest: readJson(root, 'package.json') as Manifest,
    apps: new Map(membersIn(root, 'apps').map((app) => [app.folder, app])),
    packages: new Map(membersIn(root, 'packages').map((one) => [one.manifest.name, one])),
    catalog: workspace.catalog ?? {},
    overrides: workspace.overrides ?? {},
    allowBuilds: workspace.allowBuilds ?? {},
    locked: lock.snapshots ?? {},
  };
}

const readYaml = (root: string, path: string): unknown => parse(readFileSync(join(root, path), 'utf8'));

/** A JSON file by its path from the root. @throws Error that names the file if it is not JSON. */
export function readJson(root: string, path: string): unknown {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch (cause) {
    throw new Error(`${path} cannot be read as JSON: ${(cause as Error).message}`, { cause });
  }
}

function membersIn(root: string, parent: string): Member[] {
  if (!existsSync(join(root, parent))) return [];
  return readdirSync(join(root, parent))
    .filter((folder) => existsSync(join(root, parent, folder, 'package.json')))
    .sort()
    .map((folder) => {
      const path = `${parent}/${folder}`;
      return { folder, path, manifest: readJson(root, `${path}/package.json`) as Manifest };
    });
}

/** Made by tools. */
const generated = new Set(['node_modules', 'dist', 'reports', 'coverage']);

/**
 * The files below a folder, as sorted paths from the root. Left out is what tools make, and what is hidden: settings of
 * one machine (`.env`) must not come along. `.env.example` does.
 */
export function filesBelow(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => (!name.startsWith('.') || name === '.env.example') && !name.endsWith('.log'))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isFile()) return [path];
      return entry.isDirectory() && !generated.has(entry.name) ? filesBelow(root, path) : [];
    })
    .sort();
}
