import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

type Versions = Record<string, string>;

/** The part of a package.json that the rules look at. */
export interface Manifest {
  name?: string;
  private?: boolean;
  license?: string;
  scripts?: Record<string, string>;
  exports?: Record<string, unknown>;
  dependencies?: Versions;
  devDependencies?: Versions;
  optionalDependencies?: Versions;
  peerDependencies?: Versions;
  /**
   * A package's promise that workflow code may import it: all of it (`true`), or only these entries of its `exports`
   * (`["./contract"]`), of which nothing reaches Node, the network or a clock.
   */
  workflowSafe?: boolean | string[];
}

/** An app, a package, or the root. */
export interface Member {
  kind: 'app' | 'package' | 'root';
  /** The folder's name; empty for the root. */
  folder: string;
  /** Path from the root, such as `apps/trip-saga`; empty for the root. */
  path: string;
  manifest: Manifest;
  /** The text of package.json, for line numbers. */
  manifestText: string;
}

/** A repository to be checked. */
export interface Workspace {
  /** Absolute, with symbolic links resolved. */
  root: string;
  apps: Member[];
  packages: Member[];
  /** Apps, packages and the root itself. */
  members: Member[];
}

/** Reads the apps and packages below a root. A folder without a package.json is not one of them. */
export function readWorkspace(givenRoot: string): Workspace {
  const root = realpathSync(givenRoot);
  const apps = membersIn(root, 'apps', 'app');
  const packages = membersIn(root, 'packages', 'package');
  return { root, apps, packages, members: [...apps, ...packages, readMember(root, 'root', '', '')] };
}

function membersIn(root: string, parent: string, kind: 'app' | 'package'): Member[] {
  if (!existsSync(join(root, parent))) return [];
  return readdirSync(join(root, parent))
    .filter((folder) => existsSync(join(root, parent, folder, 'package.json')))
    .sort()
    .map((folder) => readMember(root, kind, folder, `${parent}/${folder}`));
}

function readMember(root: string, kind: Member['kind'], folder: string, path: string): Member {
  const manifestText = readFileSync(join(root, path, 'package.json'), 'utf8');
  return { kind, folder, path, manifest: JSON.parse(manifestText) as Manifest, manifestText };
}

/** All kinds of dependencies of a package.json, with their version specifiers. */
export function dependenciesOf({ manifest }: Member): [name: string, specifier: string][] {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  return [dependencies, devDependencies, optionalDependencies, peerDependencies].flatMap((some) =>
    Object.entries(some ?? {}),
  );
}

/** Made by tools, and in .gitignore. */
const generated = new Set(['node_modules', 'dist', 'reports', 'coverage']);

/** The files below a folder of the workspace, as sorted paths from its root. Hidden folders are left out, but `.github`. */
export function filesBelow({ root }: Pick<Workspace, 'root'>, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) return [path];
      const hidden = entry.name.startsWith('.') && entry.name !== '.github';
      return entry.isDirectory() && !hidden && !generated.has(entry.name) ? filesBelow({ root }, path) : [];
    })
    .sort();
}

/** The text of a file, by its path from the root. */
export function readText({ root }: Workspace, file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Whether a path is source code that this repository writes: TypeScript or JavaScript. */
export const isSource = (file: string): boolean => /\.[cm]?[jt]sx?$/.test(file);
