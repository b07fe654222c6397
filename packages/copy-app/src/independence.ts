import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { fileLinks } from './markdown.ts';
import type { Plan } from './plan.ts';
import { at, isSource, type Reference, readSource } from './source.ts';

/** Words that only mean something in the repository. */
const foreign = /@repo\/|(?<=["'`])(?:workspace|catalog):/g;

/**
 * What in a copy would not work without the repository that it was made from, one line each; none if it stands alone.
 *
 * Names and versions of the workspace, imports of what package.json does not declare, paths and links that lead out.
 *
 * @param root the repository's absolute path
 */
export function dependenceOn(root: string, { manifest, files }: Plan): string[] {
  const folders = new Set(['.']);
  for (const file of files.keys()) {
    for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder)) folders.add(folder);
  }
  const exists = (path: string) => files.has(path) || folders.has(posix.normalize(path).replace(/\/$/, ''));
  const declared = new Set(
    [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((some) =>
      Object.keys(some ?? {}),
    ),
  );

  const problemWith = (file: string, { value }: Reference): string | undefined => {
    if (value.startsWith('.')) {
      return files.has(posix.join(posix.dirname(file), value)) ? undefined : 'is not in the copy';
    }
    if (value.startsWith('#')) return value in manifest.imports ? undefined : 'is not in "imports" of package.json';
    const name = /^(@[^/]+\/)?[^/]+/.exec(value)?.[0] ?? value;
    if (value.startsWith('node:') || builtinModules.includes(name)) return undefined;
    return declared.has(name) || declared.has(`@types/${name}`) ? undefined : `is not a dependency in package.json`;
  };

  const programs = Object.entries(manifest.scripts).flatMap(([name, command]) =>
    (command.match(/[\w./-]+\.[cm]?[jt]s\b/g) ?? [])
      .filter((path) => !files.has(posix.normalize(path)) && !path.startsWith('dist/'))
      .map((path) => `package.json: the script "${name}" runs ${path}, which is not in the copy`),
  );
  const inFiles = [...files].flatMap(([file, { content }]): string[] => {
    const text = content.toString();
    const found: string[] = [];
    for (const { 0: word, index } of text.matchAll(foreign)) found.push(`${at(file, text, index)} has ${word}`);
    // A recorded history tells of the machine that it was recorded on; nothing follows from it.
    const ours = /(^|\/)histories\//.test(file) ? -1 : text.indexOf(`${root}/`);
    if (ours >= 0) found.push(`${at(file, text, ours)} has the path ${root}`);
    if (isSource(file)) {
      const { imports, urls } = readSource(file, text);
      for (const reference of imports) {
        const problem = problemWith(file, reference);
        if (problem) found.push(`${at(file, text, reference.start)} imports ${reference.value}, which ${problem}`);
      }
      for (const { value, start } of urls) {
        if (leadsOut(file, value)) found.push(`${at(file, text, start)} refers to ${value}, outside of the copy`);
      }
    }
    if (file.endsWith('.md')) {
      for (const { node, target } of fileLinks(text)) {
        if (exists(posix.join(posix.dirname(file), target))) continue;
        found.push(`${file}:${node.position?.start.line} has a link to ${target}, which is not in the copy`);
      }
    }
    return found;
  });
  return [...programs, ...inFiles];
}

function leadsOut(file: string, path: string): boolean {
  const target = posix.join(posix.dirname(file), path);
  return target === '..' || target.startsWith('../') || path.startsWith('/') || path.startsWith('file:');
}
