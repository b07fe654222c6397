import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { lineOf, type Violation } from '../violation.ts';
import { dependenciesOf, readText, type Workspace } from '../workspace.ts';

const rule = 'versions';
const catalogFile = 'pnpm-workspace.yaml';
const lockFile = 'pnpm-lock.yaml';

/** One version of each dependency: named in the catalog, and used by somebody. */
export function versions(workspace: Workspace): Violation[] {
  const text = readText(workspace, catalogFile);
  const { catalog = {}, catalogs } = parse(text) as { catalog?: Record<string, string>; catalogs?: unknown };
  const found: Violation[] = [];
  if (catalogs !== undefined) {
    const message = 'more than one catalog is more than one version: put it into `catalog`';
    found.push({ rule, file: catalogFile, line: lineOf(text, '\ncatalogs:'), message });
  }

  const used = new Set<string>();
  for (const member of workspace.members) {
    const file = member.path === '' ? 'package.json' : `${member.path}/package.json`;
    for (const [name, specifier] of dependenciesOf(member)) {
      if (specifier === 'catalog:') used.add(name);
      if (specifier === 'catalog:' || specifier === 'workspace:*') continue;
      const instead = name.startsWith('@repo/') ? 'workspace:*' : `catalog:, with the version in ${catalogFile}`;
      const line = lineOf(member.manifestText, `"${name}": "${specifier}"`);
      found.push({ rule, file, line, message: `${name} is "${specifier}": write ${instead}` });
    }
  }
  for (const name of Object.keys(catalog)) {
    if (used.has(name)) continue;
    const line = text.split('\n').findIndex((entry) => /^ +'?(.+?)'?:/.exec(entry)?.[1] === name) + 1;
    found.push({ rule, file: catalogFile, line, message: `nobody uses ${name}: remove it from the catalog` });
  }
  return [...found, ...twoSdks(workspace, catalog)];
}

/** Two copies of a Temporal package do not know each other's classes: `instanceof ApplicationFailure` is false. */
function twoSdks(workspace: Workspace, catalog: Record<string, string>): Violation[] {
  const locked = existsSync(join(workspace.root, lockFile))
    ? Object.keys((parse(readText(workspace, lockFile)) as { packages?: object }).packages ?? {})
    : [];
  const ofCatalog = Object.entries(catalog).map(([name, version]) => `${name}@${version}`);
  const sdk = [...ofCatalog, ...locked]
    .map((entry) => /^@temporalio\/[^@]+@(.+)$/.exec(entry)?.[1])
    .filter((version) => version !== undefined);
  const distinct = [...new Set(sdk)];
  if (distinct.length < 2) return [];
  const message = `@temporalio/* is there in ${distinct.join(' and ')}: all of its packages must have one version`;
  return [{ rule, file: catalogFile, line: lineOf(readText(workspace, catalogFile), '@temporalio/'), message }];
}
