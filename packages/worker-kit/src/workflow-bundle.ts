import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptBundle } from './kept-bundle.ts';

// For the lines of a stack trace the map needs no copy of the sources, and each worker reads all of it twice.
const devtool = 'inline-nosources-source-map';

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
export async function buildWorkflowBundle(workflows: URL, options: BundledWith = {}): Promise<string> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(workflows),
    workflowInterceptorModules: options.interceptorModules ?? [],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: (config) => ({ ...config, devtool }),
  });
  const bundle = bundleOf(workflows, options);
  await keptBundle(bundle, madeWith()).write(code, modulesOf(code));
  return bundle;
}

/** The bundle of the code at hand: the one that was built last, if nothing that went into it has changed since. */
export async function freshWorkflowBundle(workflows: URL, options: BundledWith = {}): Promise<string> {
  const bundle = bundleOf(workflows, options);
  return (await keptBundle(bundle, madeWith()).isFresh()) ? bundle : buildWorkflowBundle(workflows, options);
}

function madeWith(): string {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  return `@temporalio/worker ${version}, ${devtool}`;
}

/** `src/extras/upgrade-worker/workflows.ts` with count-activations: `extras-upgrade-worker-workflows+count-activations.js`. */
function bundleOf(workflows: URL, { interceptorModules = [] }: BundledWith): string {
  const [, app = '', file = ''] = /^(.*)[\\/]src[\\/](.*)\.ts$/.exec(fileURLToPath(workflows)) ?? [];
  const parts = [file.replaceAll('/', '-'), ...interceptorModules.map((module) => basename(module, '.ts'))];
  return join(app, 'dist', `${parts.join('+')}.js`);
}

/** The bundle's source map names every module in it. */
function modulesOf(code: string): string[] {
  const map = /sourceMappingURL=data:application\/json;[^,]*base64,([\w+/=]+)/.exec(code)?.[1];
  if (map === undefined) throw new Error('The workflow bundle has no inline source map.');
  const { sources } = JSON.parse(Buffer.from(map, 'base64').toString('utf8')) as { sources: string[] };
  return sources.filter((source) => source.startsWith('/'));
}
