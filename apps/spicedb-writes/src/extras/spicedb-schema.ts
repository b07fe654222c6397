/**
 * A SpiceDB has one schema, which is written as a whole: these definitions, put into the schema that is there. An empty
 * one, as that of a user, is content with what others have made of it.
 * @returns undefined if nothing has to be written
 */
export function mergedSchema(there: string, ours: string): string | undefined {
  const merged = definitionsIn(there);
  let changed = false;
  for (const [name, text] of definitionsIn(ours)) {
    const present = merged.get(name);
    if (present !== undefined && (bare(text).endsWith('{}') || bare(present) === bare(text))) continue;
    merged.set(name, text);
    changed = true;
  }
  return changed ? `${[...merged.values()].join('\n\n')}\n` : undefined;
}

/**
 * By name, each with the comment above it; `use …` has the empty name and comes first. It is enough to look at the
 * beginnings of lines: SpiceDB gives a schema back as it formats it, with everything inside of a definition indented.
 */
function definitionsIn(schema: string): Map<string, string> {
  const lines = schema.split('\n');
  const isUse = (line: string) => /^use\s/.test(line);
  const found = new Map<string, string>();
  if (lines.some(isUse)) found.set('', lines.filter(isUse).join('\n'));
  let block: string[] = [];
  let name: string | undefined;
  for (const line of lines) {
    if (isUse(line)) continue;
    block.push(line);
    const begun = /^(?:definition|caveat)\s+([\w/]+)/.exec(line)?.[1];
    name ??= begun;
    if (name === undefined || !(line.startsWith('}') || (begun !== undefined && line.trimEnd().endsWith('}'))))
      continue;
    found.set(name, block.join('\n').trim());
    [block, name] = [[], undefined];
  }
  return found;
}

/** Without comments and white space, of which SpiceDB has its own idea. */
const bare = (definition: string): string => definition.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').replace(/\s+/g, '');
