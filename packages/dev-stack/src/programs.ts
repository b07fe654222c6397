import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { acquireLock } from './lock.ts';
import { asOperatorError, OperatorError } from './operator-error.ts';
import { cacheRoot } from './paths.ts';
import { build, missingTools } from './programs/build.ts';
import {
  buildFolder,
  completeEntry,
  downloadFolder,
  partialFolder,
  readEntry,
  rememberedVersion,
  removeLeftovers,
} from './programs/cache.ts';
import type { ProgramDefinition, ProgramSource } from './programs/definition.ts';
import { type ProgramName, programDefinitions } from './programs/definitions.ts';
import { findOnPath, isExecutable } from './programs/on-path.ts';
import { duration, type Progress } from './progress.ts';

const UNKNOWN = 'unknown version';

/** A server program that can be run. */
export interface Program {
  /** The executable, or for PostgreSQL the folder with `initdb` and `postgres`. */
  path: string;
  source: ProgramSource;
  version: string;
}

/** Where to look, and whom to tell. */
export interface ProgramOptions {
  onProgress?: Progress;
  /** Environment to read paths from; this process's own by default. */
  env?: NodeJS.ProcessEnv;
}

/** What was found without building or downloading anything. */
export interface Located {
  title: string;
  program?: Program;
  /** What was looked at and passed over, in order, each with the reason. */
  passedOver: string[];
  /** What `ensureProgram` would do if there is no program: in order of preference. */
  plan: ('download' | 'build')[];
  /** What to install before a build is possible. */
  missing: string[];
}

/**
 * Makes a server program ready and says where it is. Looks, in this order, at the environment variable, the npm package
 * (PostgreSQL), PATH and the cache; then downloads or builds it into the cache, one process at a time.
 * @throws OperatorError that says what was tried and what to install
 */
export async function ensureProgram(name: ProgramName, options: ProgramOptions = {}): Promise<Program> {
  return ensureDefinition(programDefinitions[name], options);
}

/** What would be used for a server program and why; never builds, never downloads. */
export async function locateProgram(name: ProgramName, options: ProgramOptions = {}): Promise<Located> {
  return locateDefinition(programDefinitions[name], options);
}

/** `ensureProgram` for a definition that is not in the table. */
export async function ensureDefinition(definition: ProgramDefinition, options: ProgramOptions = {}): Promise<Program> {
  const { env = process.env, onProgress = () => {} } = options;
  const located = await locateDefinition(definition, options);
  if (located.program) return located.program;
  const tried = [...located.passedOver];
  for (const way of located.plan) {
    try {
      if (way === 'build') {
        if (located.missing.length > 0) tried.push(`building it needs ${located.missing.join(' and ')}`);
        else return await buildOnce(definition, env, onProgress);
      } else {
        return await downloadOnce(definition, env, onProgress);
      }
    } catch (error) {
      const mendable = asOperatorError(error, `preparing ${definition.title}`);
      if (way === 'build' || mendable instanceof OperatorError) throw mendable;
      tried.push(`the download failed: ${firstLine(error)}`);
    }
  }
  const install = located.missing.length > 0 ? `Install ${located.missing.join(' and ')}, or set` : 'Set';
  throw new OperatorError(
    `There is no program for ${definition.title}. Tried:\n${tried.map((line) => `  - ${line}`).join('\n')}`,
    `${install} ${definition.envVariable} to one that you have. \`pnpm run doctor\` shows all server programs.`,
  );
}

/** `locateProgram` for a definition that is not in the table. */
export async function locateDefinition(definition: ProgramDefinition, options: ProgramOptions = {}): Promise<Located> {
  const { env = process.env } = options;
  const cache = cacheRoot(env);
  const located: Located = {
    title: definition.title,
    passedOver: [],
    plan: [],
    missing: missingTools(definition, env),
  };
  if (definition.build) located.plan.push('build');
  if (definition.download) located.plan[definition.prefer === 'download' ? 'unshift' : 'push']('download');
  const found = (path: string, source: ProgramSource, version: string) => {
    located.program = { path, source, version };
    return located;
  };
  const inspect = async (path: string) => {
    const file = definition.name === 'postgres' ? join(path, 'postgres') : path;
    const version = await rememberedVersion(cache, file, async () => (await definition.readVersion(path)) ?? UNKNOWN);
    return { version, refusal: definition.refuseVersion?.(version) };
  };

  const explicit = env[definition.envVariable];
  if (explicit) {
    const { version, refusal } = await inspect(explicit).catch((error: unknown) => {
      throw unusable(definition, explicit, `it does not run (${firstLine(error)})`);
    });
    if (refusal) throw unusable(definition, explicit, refusal);
    return found(explicit, 'environment', version);
  }
  located.passedOver.push(`${definition.envVariable} is not set`);

  if (definition.packagePath) {
    const bundled = definition.packagePath();
    if (bundled && isExecutable(join(bundled.path, 'postgres'))) return found(bundled.path, 'package', bundled.version);
    located.passedOver.push(`no npm package with it is installed for ${process.platform}-${process.arch}`);
  }

  const entries = definition.pathNames.map((name) => findOnPath(name, env));
  if (entries[0] && entries.every(Boolean)) {
    const path = definition.fromPathEntry?.(entries[0]) ?? entries[0];
    const { version, refusal } = await inspect(path).catch((error: unknown) => ({
      version: 'one',
      refusal: `it does not run: ${firstLine(error)}`,
    }));
    if (!refusal) return found(path, 'path', version);
    located.passedOver.push(`${path} on PATH (${version}): ${refusal}`);
  } else if (definition.pathNames.length > 0) {
    located.passedOver.push(`no ${definition.pathNames.join(' and ')} on PATH`);
  }

  for (const folder of cacheFolders(definition, cache)) {
    const entry = readEntry(folder);
    if (!entry) continue;
    const lacking = definition.missingAtRunTime?.(env);
    if (!lacking) return found(entry.path, 'cache', `${entry.version} (${entry.source})`);
    located.passedOver.push(`${entry.path} needs ${lacking}`);
  }
  if (definition.build || definition.download) located.passedOver.push(`not yet in the cache ${cache}`);
  return located;
}

async function buildOnce(definition: ProgramDefinition, env: NodeJS.ProcessEnv, progress: Progress): Promise<Program> {
  const folder = buildFolder(cacheRoot(env), definition);
  return once(definition, folder, progress, 'build', async (partial, discard) => {
    const log = join(dirname(folder), 'logs', `${definition.name}.log`);
    await build(definition, { output: partial, log, env, progress, discard });
    return join(partial, definition.executable ?? definition.name);
  });
}

async function downloadOnce(definition: ProgramDefinition, env: NodeJS.ProcessEnv, progress: Progress) {
  const folder = downloadFolder(cacheRoot(env), definition);
  return once(definition, folder, progress, 'download', async (partial) => {
    if (!definition.download) throw new Error(`${definition.name} cannot be downloaded`);
    return definition.download.into(partial, progress);
  });
}

/** Makes one cache entry, unless another process has made it while this one waited for the lock. */
async function once(
  definition: ProgramDefinition,
  folder: string,
  progress: Progress,
  source: 'build' | 'download',
  make: (partial: string, discard: () => void) => Promise<string>,
): Promise<Program> {
  const started = Date.now();
  const lock = await acquireLock(`${folder}.lock`, (holder) =>
    progress(`process ${holder.pid} is preparing ${definition.title} already; waiting for it`),
  );
  const partial = partialFolder(folder);
  const discard = () => {
    rmSync(partial, { recursive: true, force: true });
    lock.release();
  };
  try {
    const theirs = readEntry(folder);
    if (theirs) return { path: theirs.path, source: 'cache', version: `${theirs.version} (${theirs.source})` };
    removeLeftovers(folder);
    mkdirSync(partial, { recursive: true });
    const executable = await make(partial, discard);
    const version = (await definition.readVersion(executable)) ?? definition.pinnedVersion?.() ?? UNKNOWN;
    completeEntry(partial, folder, { version, executable: relative(partial, executable), source });
    progress(`${definition.title} is ready after ${duration(Date.now() - started)}`);
    return { path: join(folder, relative(partial, executable)), source, version };
  } finally {
    discard();
  }
}

function cacheFolders(definition: ProgramDefinition, cache: string): string[] {
  const folders: string[] = [];
  if (definition.build) folders.push(buildFolder(cache, definition));
  if (definition.download) folders.push(downloadFolder(cache, definition));
  return folders;
}

function unusable(definition: ProgramDefinition, path: string, why: string): OperatorError {
  return new OperatorError(
    `${definition.envVariable} is ${path}, and that cannot be used: ${why}.`,
    `Correct or unset ${definition.envVariable}.`,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
