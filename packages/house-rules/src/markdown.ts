import GithubSlugger from 'github-slugger';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { toString as textOf } from 'mdast-util-to-string';

export interface Heading {
  depth: number;
  text: string;
  line: number;
}

/** What the rules need of a Markdown file. Code blocks hold neither headings nor links. */
export interface Markdown {
  headings: Heading[];
  /** Targets of links, images and definitions, and of `href` and `src` in HTML. */
  links: { target: string; line: number }[];
  /** Code blocks with a file's path behind their language: what they show is quoted from there. */
  quotes: { path: string; text: string; line: number }[];
  /** What a link can name behind `#`: headings as GitHub spells them, and explicit ids. */
  anchors: Set<string>;
}

/** Reads CommonMark. GitHub's tables need no extension here: their cells are read as a paragraph, links included. */
export function readMarkdown(source: string): Markdown {
  const slugger = new GithubSlugger();
  const markdown: Markdown = { headings: [], links: [], quotes: [], anchors: new Set() };
  visit(fromMarkdown(source), (node) => {
    const line = node.position?.start.line ?? 1;
    if (node.type === 'heading') {
      const text = textOf(node);
      markdown.headings.push({ depth: node.depth, text, line });
      markdown.anchors.add(slugger.slug(text));
    } else if (node.type === 'link' || node.type === 'image' || node.type === 'definition') {
      markdown.links.push({ target: node.url, line });
    } else if (node.type === 'code' && node.meta) {
      markdown.quotes.push({ path: node.meta, text: node.value, line });
    } else if (node.type === 'html') {
      for (const [, name, value] of node.value.matchAll(/\s(href|src|id|name)="([^"]*)"/g)) {
        if (name === 'id' || name === 'name') markdown.anchors.add(value ?? '');
        else markdown.links.push({ target: value ?? '', line });
      }
    }
  });
  return markdown;
}

function visit(node: Nodes, see: (node: Nodes) => void): void {
  see(node);
  if ('children' in node) for (const child of node.children) visit(child, see);
}
