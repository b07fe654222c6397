import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InvalidInputError, runProgram } from '@repo/worker-kit';
import { copyApp } from './copy-app.ts';
import { readRepository } from './repository.ts';

/**
 * `pnpm copy-app <app> <folder>`: makes an npm project of its own out of an app. Exit codes: 0, 2 for bad input, 1 for
 * what the operator can mend, 130, 143 or 129 if it was interrupted; whatever is not 0 has left nothing behind.
 */
const usage = `pnpm copy-app <app> <folder>

Makes an npm project of its own out of an app: its files, and the source of the packages that it uses.
The folder must not exist, or be empty, and lie outside of this repository; its name becomes the project's.`;

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const interrupted = new AbortController();
for (const name of Object.keys(exitCodes) as (keyof typeof exitCodes)[]) {
  process.once(name, () => interrupted.abort(name));
}

await runProgram(async () => {
  const { values, positionals } = parsed();
  if (values.help) return console.log(usage);
  const [app, folder, ...more] = positionals;
  if (!app || !folder || more.length > 0) throw badInput('wants an app and a folder');
  const repository = readRepository(fileURLToPath(new URL('../../..', import.meta.url)));
  // pnpm runs a script in the root; the folder is meant from where it was typed.
  const from = process.env.INIT_CWD || process.cwd();
  try {
    const copy = await copyApp(repository, { app, folder, from }, interrupted.signal);
    const way = relative(from, copy.folder);
    const shorter = way.length < copy.folder.length ? way : copy.folder;
    console.log(`${app} is a project of its own now: ${copy.folder} (${copy.files} files). Next:\n`);
    if (way !== '') console.log(`  cd ${/^[\w./-]+$/.test(shorter) ? shorter : `'${shorter}'`}`);
    console.log('  npm install\n  npm start');
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.error('Interrupted; nothing was left behind.');
    process.exitCode = exitCodes[interrupted.signal.reason as keyof typeof exitCodes];
  }
});

function parsed() {
  try {
    return parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h', default: false } } });
  } catch (error) {
    throw badInput((error as Error).message);
  }
}

function badInput(message: string): InvalidInputError {
  return new InvalidInputError([{ field: 'copy-app', message: `${message}\n\n${usage}` }]);
}
