import { parseSync, Visitor } from 'oxc-parser';
import { lineAt } from './violation.ts';

/** One import, re-export, dynamic import or `import('…')` type of a module. */
export interface Import {
  specifier: string;
  /** Counted from 1. */
  line: number;
  /**
   * True if the whole statement is erased (`import type`, `export type`, `import('…')` as a type). An
   * `import { type A }` is not: with verbatimModuleSyntax the module is still loaded.
   */
  typeOnly: boolean;
}

/**
 * Every module that a source file names by a string, in the order of the file.
 *
 * @throws Error if the file cannot be parsed: an unread file must not pass for one without imports.
 */
export function importsOf(file: string, source: string): Import[] {
  const { program, errors } = parseSync(file, source);
  if (errors[0]) throw new Error(`${file} cannot be parsed: ${errors[0].message}`);
  const found: (Import & { at: number })[] = [];
  const add = (module: unknown, typeOnly: boolean) => {
    const { value, start } = (module ?? {}) as { value?: unknown; start: number };
    if (typeof value === 'string') found.push({ specifier: value, line: lineAt(source, start), typeOnly, at: start });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source, false),
    TSImportType: (node) => add(node.source, true),
    TSExternalModuleReference: (node) => add(node.expression, false),
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') add(node.arguments[0], false);
    },
  }).visit(program);
  return found
    .sort((one, other) => one.at - other.at)
    .map(({ specifier, line, typeOnly }) => ({ specifier, line, typeOnly }));
}
