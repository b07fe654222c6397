import { posix } from 'node:path';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { at, type Edit, edited } from './source.ts';

interface Link {
  node: Nodes;
  /** As it is written, without what is behind `#`. */
  target: string;
  anchor: string;
}

/** Whether a link leads to a file, and not to the web or to a heading of the same page. */
const isPath = (url: string): boolean => !/^([a-z][a-z0-9+.-]*:|#)/i.test(url);

/** Links, images and definitions that lead to files. */
export function fileLinks(text: string): Link[] {
  const found: Link[] = [];
  const visit = (node: Nodes): void => {
    if ((node.type === 'link' || node.type === 'image' || node.type === 'definition') && isPath(node.url)) {
      const [target = '', anchor] = decodeURI(node.url).split('#', 2);
      found.push({ node, target, anchor: anchor === undefined ? '' : `#${anchor}` });
    }
    if ('children' in node) for (const child of node.children) visit(child);
  };
  visit(fromMarkdown(text));
  return found;
}

/**
 * A page at another place: links follow what they lead to, and one to what does not come along is its text alone.
 *
 * @param from path of the page in the repository
 * @param to path of the page in the copy
 * @param placeOf where a path of the repository is in the copy; undefined if it does not come along
 * @throws Error for a link definition (`[name]: path`) to what does not come along
 */
export function movedMarkdown(
  text: string,
  { from, to, placeOf }: { from: string; to: string; placeOf(path: string): string | undefined },
): string {
  const edits = fileLinks(text).flatMap(({ node, target, anchor }): Edit[] => {
    const start = node.position?.start.offset ?? 0;
    const end = node.position?.end.offset ?? 0;
    const place = placeOf(posix.join(posix.dirname(from), target).replace(/\/$/, ''));
    if (place === undefined) {
      if (node.type === 'image') return [{ start, end, text: node.alt ?? '' }];
      if (node.type === 'link') return [{ start, end, text: textOf(text, node) }];
      throw new Error(
        `${at(from, text, start)} defines a link to ${target}, which a copy does not have: write it inline`,
      );
    }
    const url = (posix.relative(posix.dirname(to), place) || '.') + anchor;
    const original = text.slice(start, end);
    const behind = node.type === 'definition' ? original.indexOf(':') : original.lastIndexOf('](');
    const offset = original.indexOf(target + anchor, behind);
    return offset < 0 || url === target + anchor
      ? []
      : [{ start: start + offset, end: start + offset + (target + anchor).length, text: url }];
  });
  return edited(text, edits);
}

function textOf(text: string, { children }: Extract<Nodes, { type: 'link' }>): string {
  return text.slice(children[0]?.position?.start.offset ?? 0, children.at(-1)?.position?.end.offset ?? 0);
}
