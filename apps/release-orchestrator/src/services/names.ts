/** How much one deployable may be; a host refuses more, and so does the builder. */
export const limits = {
  files: 500,
  /** Of all files together. */
  bytes: 8 * 1024 * 1024,
  /** An archive as it is sent: the files, and what tar and the manifest add. */
  archiveBytes: 10 * 1024 * 1024,
  /** A configuration as JSON. */
  configBytes: 64 * 1024,
} as const;

const longestPath = 95; // characters: a header of tar holds them, with the archive's own folder in front

/**
 * What is wrong with the path of a file; undefined if nothing is. Plain names only: what needs no escaping in an address, is
 * the same on every file system, and leads nowhere else.
 */
export function pathProblem(path: string, longest = longestPath): string | undefined {
  if (path.length > longest) return `is longer than ${longest} characters`;
  if (path.split('/').every((name) => /^(?!__proto__$)[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name))) return undefined;
  return 'is no plain path: letters, digits, ".", "_" and "-", and no name begins with "." or "-"';
}

/** The name of a deployable or an environment: part of paths and addresses. */
export const isName = (name: string): boolean => /^[a-z0-9][a-z0-9-]{0,39}$/.test(name);
