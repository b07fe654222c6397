import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { entryOf, isOurs } from './entries.ts';
import { type CopyManifest, mergedManifest, mergedTsConfig, scriptsOf } from './manifest.ts';
import { movedMarkdown } from './markdown.ts';
import { type Reached, reachedFrom } from './reached.ts';
import { filesBelow, type Member, type Repository } from './repository.ts';
import { type Edit, edited, isSource, readSource } from './source.ts';
import { thisProject } from './this-project.ts';
import { type Names, reworded } from './wording.ts';

/** One file of a copy. */
export interface CopyFile {
  content: string | Buffer;
  executable: boolean;
}

/** A copy that is not written yet: its files by their paths. */
export interface Plan {
  manifest: CopyManifest;
  files: Map<string, CopyFile>;
}

/** Of an app's folder, what a copy gets in another form, or has no use for. */
const replaced = new Set(['package.json', 'tsconfig.json', 'turbo.json', 'README.md']);

/**
 * Everything that the copy of an app consists of. Writes nothing.
 * @throws Error if something in the app, or in a package that it uses, cannot be copied; it names the place
 */
export function planCopy(repository: Repository, app: Member, name: string): Plan {
  const { root } = repository;
  const appFiles = filesBelow(root, app.path);
  const { scripts, programs } = scriptsOf(repository, app);
  const reached = reachedFrom(repository, [...appFiles, ...programs]);
  const manifest = mergedManifest(repository, app, reached, name);
  const places = placesOf(root, app, appFiles, reached);
  const names: Names = {
    app: app.folder,
    vendored: new Set([...reached.packages].map(({ folder }) => folder)),
    scripts: new Set(Object.keys(scripts)),
  };

  const files = new Map<string, CopyFile>();
  const write = (path: string, content: CopyFile['content'], executable = false) =>
    files.set(path, { content, executable });
  for (const [from, to] of places) {
    const content = readFileSync(join(root, from));
    const executable = (statSync(join(root, from)).mode & 0o100) !== 0;
    if (isSource(from)) write(to, rewrittenSource(repository, names, from, content.toString()), executable);
    else if (from.endsWith('.md')) write(to, rewrittenMarkdown(names, places, from, content.toString()), executable);
    else if (keepsEveryByte(from, content)) write(to, content, executable);
    else write(to, reworded(content.toString(), names), executable);
  }
  const readme = files.get('README.md')?.content ?? '';
  write('README.md', `${readme}\n${thisProject(manifest, names)}`);
  write('package.json', json(manifest));
  write('tsconfig.json', json(mergedTsConfig(root, `${app.path}/tsconfig.json`)));
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8');
  write('.gitignore', ignored.replace(/^\.turbo\/\n/m, ''));
  return { manifest, files };
}

/** Data, what is not text, and the sources of server programs, whose cache goes by what is in them. */
const keepsEveryByte = (path: string, content: Buffer): boolean =>
  path.startsWith('infra/') || path.endsWith('.json') || content.includes(0);

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Where each file goes. Packages keep their depth below the root: some find it by counting. */
function placesOf(root: string, app: Member, appFiles: string[], { packages, files }: Reached): Map<string, string> {
  const pages = [...packages].map(({ path }) => `${path}/README.md`);
  const vendored = [...files, ...pages.filter((page) => statSync(join(root, page), { throwIfNoEntry: false }))];
  return new Map([
    ...appFiles
      .map((path) => [path, path.slice(app.path.length + 1)] as const)
      .filter(([, path]) => !replaced.has(path) || path === 'README.md'),
    ...vendored.sort().map((path) => [path, path.replace(/^packages\//, 'vendor/')] as const),
    ...filesBelow(root, 'infra/servers').map((path) => [path, path] as const),
    ['LICENSE', 'LICENSE'],
  ]);
}

/** Other specifiers, and other words in strings and comments; every other character stays as it is. */
export function rewrittenSource(repository: Repository, names: Names, file: string, text: string): string {
  const { imports, texts } = readSource(file, text);
  const starts = new Set(imports.map(({ start }) => start));
  const edits = texts.flatMap(({ start, end }): Edit[] => {
    const before = text.slice(start, end);
    // Whole strings also name modules where nothing is imported: vi.mock('@repo/x'), import.meta.resolve('@repo/x').
    const module = isOurs(before) && (starts.has(start) || isEntry(repository, before));
    const after = module ? entryOf(repository, before).alias : starts.has(start) ? before : reworded(before, names);
    return after === before ? [] : [{ start, end, text: after }];
  });
  return edited(text, edits);
}

function isEntry(repository: Repository, specifier: string): boolean {
  try {
    return entryOf(repository, specifier) !== undefined;
  } catch {
    return false;
  }
}

function rewrittenMarkdown(names: Names, places: Map<string, string>, from: string, text: string): string {
  const placeOf = (path: string): string | undefined => places.get(path) ?? folderOf(places, path);
  return reworded(movedMarkdown(text, { from, to: places.get(from) ?? '', placeOf }), names);
}

/** Where a folder is in the copy: where the files in it are. */
function folderOf(places: Map<string, string>, folder: string): string | undefined {
  for (const [source, target] of places) {
    const rest = source.slice(folder.length);
    if (source.startsWith(`${folder}/`) && `/${target}`.endsWith(rest)) return target.slice(0, -rest.length) || '.';
  }
  return undefined;
}
