import { existsSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Markdown, readMarkdown } from '../markdown.ts';
import { lineAt, type Violation } from '../violation.ts';
import { filesBelow, readText, type Workspace } from '../workspace.ts';

const rule = 'links';

/** Somebody's home folder, on the systems that people write documentation on. */
const homeFolder = /(?<![\w.])(?:\/home\/|\/Users\/|\/root\/|[A-Z]:\\Users\\)[\w.-]+/g;

/** Every relative link in Markdown leads to a file that exists, and to a heading in it; no path holds on one machine only. */
export function links(workspace: Workspace): Violation[] {
  const known = new Map<string, Markdown>();
  const markdown = (file: string): Markdown => {
    const read = known.get(file) ?? readMarkdown(readText(workspace, file));
    known.set(file, read);
    return read;
  };
  return filesBelow(workspace, '')
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => [
      ...markdown(file).links.flatMap(({ target, line }): Violation[] => {
        const message = problemWith(workspace, file, target, markdown);
        return message === undefined ? [] : [{ rule, file, line, message }];
      }),
      ...machinePaths(workspace, file),
    ]);
}

function problemWith(
  workspace: Workspace,
  file: string,
  target: string,
  markdown: (file: string) => Markdown,
): string | undefined {
  if (/^(?!file:)[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  if (target.startsWith('/') || target.startsWith('file:')) {
    return `link to ${target} is absolute: write it relative to this file`;
  }
  const [path = '', anchor] = decodeURI(target).split('#', 2);
  const to = path === '' ? file : posix.join(posix.dirname(file), path).replace(/\/$/, '');
  if (to === '..' || to.startsWith('../')) return `link to ${target} leads out of the repository`;
  if (!existsSync(join(workspace.root, to))) return `link to ${target}: there is no ${to}`;
  if (anchor === undefined || anchor === '') return undefined;
  if (statSync(join(workspace.root, to)).isFile() && hasAnchor(workspace, to, anchor, markdown)) return undefined;
  return `link to ${target}: ${to} has no "${anchor}"${to.endsWith('.md') ? `; it has ${[...markdown(to).anchors].join(', ') || 'no headings'}` : ''}`;
}

function hasAnchor(workspace: Workspace, to: string, anchor: string, markdown: (file: string) => Markdown): boolean {
  if (to.endsWith('.md')) return markdown(to).anchors.has(anchor);
  const lines = anchor.match(/^L(\d+)(?:-L(\d+))?$/);
  return lines !== null && Number(lines[2] ?? lines[1]) <= readText(workspace, to).split('\n').length;
}

function machinePaths(workspace: Workspace, file: string): Violation[] {
  const text = readText(workspace, file);
  const found = [...text.matchAll(homeFolder)].map((match) => ({ path: match[0], at: match.index }));
  const at = text.indexOf(`${workspace.root}/`);
  if (at >= 0) found.push({ path: workspace.root, at });
  return found.map(({ path, at: offset }) => ({
    rule,
    file,
    line: lineAt(text, offset),
    message: `${path} is a path of one machine: write it relative to the repository, or with ~`,
  }));
}
