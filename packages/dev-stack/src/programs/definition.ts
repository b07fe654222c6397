import type { Progress } from '../progress.ts';

/** Where a program came from. */
export type ProgramSource = 'environment' | 'package' | 'path' | 'cache' | 'download' | 'build';

/** One command of a build, run in order without a shell. */
export interface BuildCommand {
  command: string;
  args: string[];
  cwd: string;
  env?: Record<string, string>;
}

/** How to make a program from the pinned sources. */
export interface ProgramBuild {
  /** Folder with the pinned sources; its content decides the name of the cache entry. */
  sources: string;
  /** Tools that must be on PATH, each with what to install when it is not. */
  tools: { command: string; install: string }[];
  /** Said before it begins, e.g. `building the Temporal dev server with Go, about 4 minutes the first time`. */
  announcement: string;
  /** The commands that fill the folder `output`. */
  commands(output: string): BuildCommand[];
}

/** How to get a program ready-made. */
export interface ProgramDownload {
  /** What is downloaded; part of the name of the cache entry. */
  version: () => string;
  /** Fills a folder and returns the executable. Rejects where there is no network. */
  into: (folder: string, progress: Progress) => Promise<string>;
}

/** A server program, and every way to come by it. */
export interface ProgramDefinition {
  name: string;
  /** For messages: `the Temporal dev server`. */
  title: string;
  /** Environment variable with the path of the program (or, for PostgreSQL, of its folder of programs). */
  envVariable: string;
  /** Folder of an installed npm package that brings it, or undefined where there is none for this platform. */
  packagePath?: () => { path: string; version: string } | undefined;
  /** Names looked for on PATH; none means that PATH is not asked. */
  pathNames: string[];
  /** Turns what PATH found into what callers get; the same path unless given. */
  fromPathEntry?: (file: string) => string;
  /** Reads the version of the program at `path`; undefined if it has no way to say; throws if it does not run. */
  readVersion: (path: string) => Promise<string | undefined>;
  /** Why this version cannot be used, or undefined if it can. */
  refuseVersion?: (version: string) => string | undefined;
  /** Something else it needs at run time; returns what to install, or undefined if nothing is missing. */
  missingAtRunTime?: (env: NodeJS.ProcessEnv) => string | undefined;
  /** The executable's file name in its cache folder. */
  executable?: string;
  /** The version that the sources pin. */
  pinnedVersion?: () => string;
  download?: ProgramDownload;
  build?: ProgramBuild;
  /** Which of the two to try first when nothing is there yet. */
  prefer?: 'download' | 'build';
}
