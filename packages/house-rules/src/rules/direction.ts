import { posix } from 'node:path';
import { type Part, partOf } from '../app-files.ts';
import { type Import, importsOf } from '../imports.ts';
import type { Violation } from '../violation.ts';
import { filesBelow, isSource, type Member, readText, type Workspace } from '../workspace.ts';

const rule = 'direction';

/** What each part may import of its own app: `workflows → contract ← activities → services`, and the core never extras. */
const mayImport: Record<Part, { code: Part[]; types: Part[] }> = {
  contract: { code: ['contract'], types: [] },
  workflows: { code: ['contract', 'workflows'], types: ['activities'] },
  activities: { code: ['contract', 'services'], types: [] },
  services: { code: ['contract', 'services'], types: [] },
  worker: { code: ['contract', 'activities', 'services'], types: ['workflows'] },
  starter: { code: ['contract'], types: ['workflows'] },
  extras: { code: ['contract', 'workflows', 'activities', 'services', 'worker', 'starter', 'extras'], types: [] },
};

/** Who may import whom: between the parts of an app, and between apps and packages. */
export function direction(workspace: Workspace): Violation[] {
  const appNames = new Map(workspace.apps.map((app) => [app.manifest.name ?? app.folder, app]));
  return [...workspace.apps, ...workspace.packages].flatMap((member) =>
    filesBelow(workspace, member.path)
      .filter(isSource)
      .flatMap((file) =>
        importsOf(file, readText(workspace, file)).flatMap((imported): Violation[] => {
          const message = imported.specifier.startsWith('.')
            ? relativeImport(member, file, imported)
            : importByName(member, imported.specifier, appNames);
          return message === undefined ? [] : [{ rule, file, line: imported.line, message }];
        }),
      ),
  );
}

function importByName(member: Member, specifier: string, apps: Map<string, Member>): string | undefined {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const app = apps.get(name);
  if (app === undefined) return undefined;
  if (app === member) return `imports its own app by name: write the path, ./….ts`;
  return member.kind === 'app'
    ? `imports ${specifier}, another app: move what both need into a package`
    : `imports ${specifier}, an app: a package knows no app; let the app pass in what the package needs`;
}

function relativeImport(member: Member, file: string, imported: Import): string | undefined {
  const { specifier } = imported;
  const target = posix.join(posix.dirname(file), specifier);
  if (!target.startsWith(`${member.path}/`)) {
    return `imports ${specifier}, outside of ${member.path}: import a package by its name, @repo/…`;
  }
  if (member.kind === 'package') return undefined;
  const from = partOf(file.slice(member.path.length + 1));
  const to = partOf(target.slice(member.path.length + 1));
  // Tests may import anything of their app; a file without a place in src is reported by the rule `shape`.
  if (from === undefined || to === undefined) return undefined;
  const { code, types } = mayImport[from];
  if (code.includes(to)) return undefined;
  if (types.includes(to)) {
    return imported.typeOnly ? undefined : `imports ${specifier} into ${from} as code: write import type`;
  }
  if (to === 'extras') {
    return `imports ${specifier}: the core does without extras; move what it needs into the core or a package`;
  }
  const allowed = [...code, ...types.map((part) => `types of ${part}`)].join(', ') || 'nothing of its own app';
  return `imports ${specifier}: ${from} may import ${allowed}; move what it needs there`;
}
