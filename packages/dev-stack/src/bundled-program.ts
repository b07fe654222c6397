import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { keptBundle } from '@repo/worker-kit/kept-bundle';
import type { Plugin } from 'esbuild';
import { shortHash } from './paths.ts';

/**
 * A TypeScript program and all that it imports, as one JavaScript file for {@link spawnChild}: it starts in a third of the
 * time. It is kept in the folder `dist` of its app, and made anew once one of its files has changed, or the lock file.
 *
 * Packages of Temporal's SDK, which have native parts, are left where they are, if the app itself depends on them. What the
 * program imports may look for files beside itself; the program's own file may not, for it is another one now.
 */
export async function bundledProgram(file: string): Promise<string> {
  const app = await appOf(dirname(file));
  const folder = join(app, 'dist', 'programs');
  const bundle = join(folder, `${basename(file, '.ts')}-${shortHash(file, process.version)}.mjs`);
  const kept = keptBundle(bundle, JSON.stringify(made) + unmapped);
  if (await kept.isFresh()) return bundle;
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    entryPoints: [file],
    outfile: bundle,
    absWorkingDir: app,
    ...made,
    plugins: [whereTheyWere(file)],
    write: false,
    metafile: true,
    logLevel: 'silent',
    // esbuild finds its own program beside its files; the last is the optional native part of pg.
    external: [...(await sdkOf(app)), 'esbuild', 'pg-native'],
  });
  const files = Object.keys(metafile.inputs).map((input) => resolve(app, input));
  await kept.write(outputFiles[0]?.text ?? '', files);
  return bundle;
}

const made = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  // For the lines of a stack trace it needs no more, and Node reads all of it at each start.
  sourcesContent: false,
  define: { 'import.meta.url': 'here$' },
  banner: {
    js: [
      // For packages of the older kind, which ask for Node's own modules at run time.
      "import { createRequire as requireOf$ } from 'node:module';",
      'const program$ = import.meta.url, require = requireOf$(program$);',
    ].join(' '),
  },
} as const;

/** The modules of a bundle still know where they were, all but the program itself: it is the file that was started. */
const whereTheyWere = (program: string): Plugin => ({
  name: 'where-they-were',
  setup: (build) =>
    build.onLoad({ filter: /\.(ts|mjs|js)$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      const [ours, asks] = [!path.includes('/node_modules/'), code.includes('import.meta.url')];
      if (ours && !asks) return undefined;
      const url = path === program ? 'program$' : JSON.stringify(pathToFileURL(path).href);
      // In the same line: what comes after it stays in its own.
      const contents = `${asks ? `const here$ = ${url}; ` : ''}${code}${ours ? '' : unmapped}`;
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    }),
});

/**
 * Keeps what others wrote out of the source map, of which it would be nine tenths: Node reads the map at each start. Its one
 * mapping is of a column where there is nothing.
 */
const noLines = Buffer.from('{"version":3,"sources":[""],"names":[],"mappings":"gggggCAAA"}').toString('base64');
const unmapped = `\n//# sourceMappingURL=data:application/json;base64,${noLines}`;

async function sdkOf(app: string): Promise<string[]> {
  const { dependencies } = JSON.parse(await readFile(join(app, 'package.json'), 'utf8')) as { dependencies?: object };
  return Object.keys(dependencies ?? {}).filter((name) => name.startsWith('@temporalio/'));
}

/** The nearest folder with a package.json. */
async function appOf(folder: string): Promise<string> {
  if (await stat(join(folder, 'package.json')).catch(() => undefined)) return folder;
  if (folder === dirname(folder)) throw new Error('This program belongs to no package.');
  return appOf(dirname(folder));
}
