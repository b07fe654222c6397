import { posix } from 'node:path';
import { core, partOf } from '../app-files.ts';
import { readMarkdown } from '../markdown.ts';
import { lineOf, type Violation } from '../violation.ts';
import { filesBelow, isSource, type Member, readText, type Workspace } from '../workspace.ts';

const rule = 'shape';

/** The scripts of every app, with the same commands in each. */
const appScripts = ['start', 'worker', 'test', 'e2e', 'typecheck', 'build'];

/** The headings of every app's README, in this order. */
const readmeHeadings = ['Problem', 'Guarantees', 'What can fail', 'Run', 'Break it', 'How it works', 'Files'];

const shortFiles = /^src\/(worker|starter)\.ts$/;
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const saysNothing = /^(utils?|helpers?|commons?|misc)$/;

/** One shape for every app, and for every package: who has read one has read them all. */
export function shape(workspace: Workspace): Violation[] {
  return [
    ...workspace.apps.flatMap((app) => [
      ...scripts(workspace, app),
      ...coreFiles(workspace, app),
      ...readme(workspace, app),
    ]),
    ...[...workspace.apps, ...workspace.packages].flatMap((member) => [
      ...manifest(workspace, member),
      ...files(workspace, member),
    ]),
  ];
}

function scripts({ apps }: Workspace, app: Member): Violation[] {
  const file = `${app.path}/package.json`;
  return appScripts.flatMap((name): Violation[] => {
    const command = app.manifest.scripts?.[name];
    if (command === undefined) {
      return [{ rule, file, message: `has no script "${name}": each app has ${appScripts.join(', ')}` }];
    }
    const usual = mostFrequent(apps.map(({ manifest }) => manifest.scripts?.[name]));
    if (command === usual) return [];
    const line = lineOf(app.manifestText, `"${name}": ${JSON.stringify(command)}`);
    return [{ rule, file, line, message: `script "${name}" is another one than in the other apps: ${usual}` }];
  });
}

/** The first of the most frequent ones. */
function mostFrequent(values: (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

function coreFiles(workspace: Workspace, app: Member): Violation[] {
  const present = filesBelow(workspace, `${app.path}/src`);
  const parts = present.map((file) => partOf(file.slice(app.path.length + 1)));
  return [
    ...core
      .filter((part) => !parts.includes(part))
      .map((part) => ({ rule, file: app.path, message: `has no src/${part}.ts: each app has the same core` })),
    ...present
      .filter((_, index) => parts[index] === undefined)
      .map((file) => ({
        rule,
        file,
        message: `src holds ${core.map((part) => `${part}.ts`).join(', ')}, contract/, workflows/, services/ and extras/: move it to extras or into a package`,
      })),
  ];
}

function readme(workspace: Workspace, app: Member): Violation[] {
  const file = `${app.path}/README.md`;
  if (!filesBelow(workspace, app.path).includes(file)) {
    return [{ rule, file, message: `is missing: each app has one, with the headings ${readmeHeadings.join(' · ')}` }];
  }
  const found = readMarkdown(readText(workspace, file)).headings.filter(({ depth }) => depth === 2);
  const at = Array.from({ length: Math.max(found.length, readmeHeadings.length) }, (_, index) => index).find(
    (index) => found[index]?.text !== readmeHeadings[index],
  );
  if (at === undefined) return [];
  const is = found[at] === undefined ? 'ends' : `has "## ${found[at].text}"`;
  const wanted = readmeHeadings[at] === undefined ? 'nothing follows' : `"## ${readmeHeadings[at]}" comes`;
  const message = `${is} where ${wanted}: the headings are ${readmeHeadings.join(' · ')}, in this order`;
  return [{ rule, file, line: found[at]?.line, message }];
}

function manifest(workspace: Workspace, { kind, folder, path, manifest: json, manifestText }: Member): Violation[] {
  const file = `${path}/package.json`;
  const name = kind === 'app' ? folder : `@repo/${folder}`;
  const wrong = (key: string, message: string) => ({ rule, file, line: lineOf(manifestText, `"${key}":`), message });
  const found: Violation[] = [];
  if (json.name !== name) found.push(wrong('name', `"name" must be that of the folder: "${name}"`));
  if (json.private !== true) found.push(wrong('private', 'must say "private": true: nothing here is published'));
  if (json.license !== 'MIT') found.push(wrong('license', 'must say "license": "MIT", like the LICENSE file'));
  if (json.scripts?.typecheck === undefined) {
    found.push(wrong('scripts', 'has no script "typecheck": turbo passes over a package without it'));
  }
  const hasTests = filesBelow(workspace, `${path}/test`).some((test) => test.endsWith('.test.ts'));
  if (hasTests && json.scripts?.test === undefined) {
    found.push(wrong('scripts', 'has test files but no script "test": nobody would run them'));
  }
  return found;
}

function files(workspace: Workspace, member: Member): Violation[] {
  return filesBelow(workspace, member.path)
    .filter(isSource)
    .flatMap((file) => [...names(member, file), ...lines(workspace, member, file)]);
}

function names(member: Member, file: string): Violation[] {
  const parts = [member.folder, ...file.slice(member.path.length + 1).split('/')].map(
    (part) => part.split('.')[0] ?? '',
  );
  const found: Violation[] = [];
  if (!parts.every((part) => kebabCase.test(part))) {
    found.push({ rule, file, message: 'file and folder names are in kebab-case' });
  }
  const vague = parts.find((part) => saysNothing.test(part));
  if (vague !== undefined) {
    found.push({
      rule,
      file,
      message: `"${vague}" says nothing: name it after what it does, or move it to its only user`,
    });
  }
  return found;
}

function lines(workspace: Workspace, member: Member, file: string): Violation[] {
  const path = file.slice(member.path.length + 1);
  if (!path.startsWith('src/')) return [];
  const limit = member.kind === 'app' && shortFiles.test(path) ? 30 : 250;
  const count = readText(workspace, file).replace(/\n$/, '').split('\n').length;
  if (count < limit) return [];
  const instead = limit === 30 ? 'move what is not Temporal to extras or worker-kit' : `split ${posix.basename(file)}`;
  return [{ rule, file, message: `has ${count} lines, ${limit - 1} are allowed: ${instead}` }];
}
