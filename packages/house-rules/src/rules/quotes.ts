import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readMarkdown } from '../markdown.ts';
import type { Violation } from '../violation.ts';
import { filesBelow, readText, type Workspace } from '../workspace.ts';

const rule = 'quotes';

/** A line that stands for others that are left out. */
const gap = /\n?^ *(?:\/\/ )?…$\n?/m;

/**
 * A code block whose fence names a file (```ts apps/trip-saga/src/workflows.ts) shows what stands in that file, in its
 * order, but for the indentation; a line `…` leaves something out.
 */
export function quotes(workspace: Workspace): Violation[] {
  return filesBelow(workspace, '')
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      readMarkdown(readText(workspace, file)).quotes.flatMap(({ path, text, line }): Violation[] => {
        const message = problemWith(workspace, path, text);
        return message === undefined ? [] : [{ rule, file, line, message }];
      }),
    );
}

function problemWith(workspace: Workspace, path: string, text: string): string | undefined {
  if (!existsSync(join(workspace.root, path))) return `code is quoted from ${path}, which is not there`;
  let rest = flush(readText(workspace, path));
  for (const part of text.split(gap)) {
    const at = rest.indexOf(flush(part));
    const [first = ''] = part.trim().split('\n');
    if (at < 0) return `${path} does not say (any more, or in this place): ${first.trim()}`;
    rest = rest.slice(at + flush(part).length);
  }
  return undefined;
}

/** Without indentation, which a quotation has less of. */
const flush = (text: string) => text.trim().replace(/^[ \t]+/gm, '');
