import { parseSync, Visitor } from 'oxc-parser';

/** A piece of a source file, by its offsets. */
export interface Span {
  start: number;
  end: number;
}

/** A module or a file that source code names by a string; the span is that of the string's content. */
export interface Reference extends Span {
  value: string;
}

/** What has to be known of a source file to move it to another place. */
export interface Source {
  /** Of imports, exports from, dynamic imports, `import('…')` types, `require('…')`. */
  imports: Reference[];
  /** `new URL('./other.ts', import.meta.url)`: how a file finds one that it does not import. */
  urls: Reference[];
  /** The content of every string, template and comment. */
  texts: Span[];
}

/** Whether a path is TypeScript or JavaScript. */
export const isSource = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path);

/** @throws Error if the file cannot be parsed: what was not read would be copied wrongly. */
export function readSource(file: string, text: string): Source {
  const { program, comments, errors } = parseSync(file, text);
  if (errors[0]) throw new Error(`${file} cannot be parsed: ${errors[0].message}`);
  const source: Source = { imports: [], urls: [], texts: comments.map(({ start, end }) => ({ start, end })) };
  const add = (to: Reference[], node: unknown) => {
    const { type, value, start, end } = (node ?? {}) as { type?: string; value?: unknown } & Span;
    if (type === 'Literal' && typeof value === 'string') to.push({ value, start: start + 1, end: end - 1 });
  };
  new Visitor({
    ImportDeclaration: (node) => add(source.imports, node.source),
    ExportAllDeclaration: (node) => add(source.imports, node.source),
    ExportNamedDeclaration: (node) => add(source.imports, node.source),
    ImportExpression: (node) => add(source.imports, node.source),
    TSImportType: (node) => add(source.imports, node.source),
    TSExternalModuleReference: (node) => add(source.imports, node.expression),
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') add(source.imports, node.arguments[0]);
    },
    NewExpression: ({ callee, arguments: [path, base] }) => {
      const here = base?.type === 'MemberExpression' && text.slice(base.start, base.end) === 'import.meta.url';
      if (callee.type === 'Identifier' && callee.name === 'URL' && here) add(source.urls, path);
    },
    Literal: (node) => {
      if (typeof node.value === 'string') source.texts.push({ start: node.start + 1, end: node.end - 1 });
    },
    TemplateElement: ({ start, end }) => source.texts.push({ start, end }),
  }).visit(program);
  return source;
}

/** A replacement for a piece of a text. */
export interface Edit extends Span {
  text: string;
}

/** Carries out edits that do not overlap. */
export function edited(text: string, edits: Edit[]): string {
  let result = '';
  let from = 0;
  for (const edit of edits.sort((one, other) => one.start - other.start)) {
    result += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return result + text.slice(from);
}

/** `file:line` of an offset, which terminals and editors turn into a link. */
export const at = (file: string, text: string, offset: number): string =>
  `${file}:${text.slice(0, offset).split('\n').length}`;
