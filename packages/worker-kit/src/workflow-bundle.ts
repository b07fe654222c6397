import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// For the lines of a stack trace the map needs no copy of the sources, and each worker reads all of it twice.
const devtool = 'inline-nosources-source-map';

/** What a bundle depends on beside the files in it: pnpm leaves those of an older SDK where they were. */
function madeWith(): string {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  return `@temporalio/worker ${version}, ${devtool}`;
}

/** What goes into a bundle beside the workflows. */
export interface BundledWith {
  /** Paths of modules that export `interceptors`, as for `bundleWorkflowCode`. */
  interceptorModules?: string[];
}

/**
 * Bundles workflow code into the folder `dist` of its app, as `workflows.js` if it is `src/workflows.ts`, for
 * `Worker.create({ workflowBundle })`. A worker that takes it starts seconds sooner, and runs exactly what was built.
 * @param workflows URL of a file below `src`
 * @returns the bundle's path
 */
export async function buildWorkflowBundle(
  workflows: URL,
  { interceptorModules = [] }: BundledWith = {},
): Promise<string> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(workflows),
    workflowInterceptorModules: interceptorModules,
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: (config) => ({ ...config, devtool }),
  });
  const { bundle, inputs } = places(workflows, interceptorModules);
  await mkdir(dirname(bundle), { recursive: true });
  await replace(bundle, code);
  await replace(inputs, JSON.stringify({ madeWith: madeWith(), files: await fingerprints(modulesOf(code)) }, null, 1));
  return bundle;
}

/** The bundle of the code at hand: the one that was built last, if none of the files in it has changed since. */
export async function freshWorkflowBundle(workflows: URL, options: BundledWith = {}): Promise<string> {
  const { bundle, inputs } = places(workflows, options.interceptorModules);
  try {
    await stat(bundle);
    const recorded = JSON.parse(await readFile(inputs, 'utf8')) as { files: object };
    const now = { madeWith: madeWith(), files: await fingerprints(Object.keys(recorded.files)) };
    if (JSON.stringify(now) === JSON.stringify(recorded)) return bundle;
  } catch {
    // Not built yet, or not to the end.
  }
  return buildWorkflowBundle(workflows, options);
}

/** `src/extras/upgrade-worker/workflows.ts` with count-activations: `extras-upgrade-worker-workflows+count-activations`. */
function places(workflows: URL, interceptorModules: string[] = []) {
  const [, app = '', file = ''] = /^(.*)\/src\/(.*)\.ts$/.exec(fileURLToPath(workflows)) ?? [];
  const parts = [file.replaceAll('/', '-'), ...interceptorModules.map((module) => basename(module, '.ts'))];
  const path = join(app, 'dist', parts.join('+'));
  return { bundle: `${path}.js`, inputs: `${path}.inputs.json` };
}

/** Whoever reads the file meanwhile, or writes it as well, sees the old or the new one, never half of it. */
async function replace(path: string, content: string): Promise<void> {
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, content);
  await rename(partial, path);
}

/** The bundle's source map names every module in it. */
function modulesOf(code: string): string[] {
  const map = /sourceMappingURL=data:application\/json;[^,]*base64,([\w+/=]+)/.exec(code)?.[1];
  if (map === undefined) throw new Error('The workflow bundle has no inline source map.');
  const { sources } = JSON.parse(Buffer.from(map, 'base64').toString('utf8')) as { sources: string[] };
  return sources.filter((source) => source.startsWith('/')).sort();
}

async function fingerprints(files: string[]): Promise<Record<string, string>> {
  const one = async (file: string) => {
    const found = await stat(file).catch(() => undefined);
    return [file, found ? `${found.size} ${found.mtimeMs}` : 'absent'] as const;
  };
  return Object.fromEntries(await Promise.all(files.map(one)));
}
