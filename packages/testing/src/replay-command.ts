import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { freshWorkflowBundle, InvalidInputError } from '@repo/worker-kit';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { HistoryJson } from './command-words.ts';
import { historyOf } from './history-of.ts';
import { whereTheyPart } from './where-they-part.ts';

/** What `pnpm replay` found. */
export interface Replayed {
  replays: boolean;
  /** For the terminal, some lines of it. */
  text: string;
}

const usage = 'pnpm replay <workflow id | file> [--app <app>]';

/**
 * Replays a real run against the code at hand.
 *
 * @param args a workflow id, which is asked of Temporal, or a file, as `temporal workflow show --output json` writes it
 * @param root the folder above `apps`
 * @throws InvalidInputError for arguments, or a file, that make no sense; OperatorError where there is nothing to replay
 */
export async function replayCommand(args: string[], root: string): Promise<Replayed> {
  const { named, app } = parsed(args);
  const file = resolve(process.env.INIT_CWD ?? '', named);
  const isFile = existsSync(file);
  const history = isFile ? await historyIn(file) : await historyOf(named, usage);
  const started = history.events[0]?.workflowExecutionStartedEventAttributes as Started | undefined;
  const type = started?.workflowType?.name;
  if (!type) throw new InvalidInputError([{ field: named, message: 'holds no history of a workflow' }]);
  // Not every server says in a history whose it is.
  const workflowId = started.workflowId ?? (isFile ? 'unknown' : named);
  const workflows = await workflowsWith(type, root, app);

  const bundle = { codePath: await freshWorkflowBundle(pathToFileURL(workflows)) };
  const count = history.events.length;
  if (!(await whereTheyPart(bundle, history, workflowId))) {
    return { replays: true, text: `${named} replays: ${count} events, nothing differs` };
  }
  const parting = await whereTheyPart(await watchedBundle(workflows), history, workflowId);
  if (!parting) throw new Error('The same history replayed once and failed once: this workflow depends on chance.');
  const { event, history: recorded, code, said } = parting;
  const text = [
    `${named} does not replay: it parts ${event === undefined ? 'somewhere in' : `at event ${event} of`} ${count}`,
    `  then, the workflow  ${recorded}`,
    `  now, the code       ${code}`,
    `  Temporal says: ${said}`,
  ];
  return { replays: false, text: text.join('\n') };
}

interface Started {
  workflowType?: { name?: string };
  workflowId?: string;
}

function parsed(args: string[]): { named: string; app: string | undefined } {
  try {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options: { app: { type: 'string' } } });
    const [named, ...more] = positionals;
    if (named && more.length === 0) return { named, app: values.app };
  } catch {
    // Said below.
  }
  throw new InvalidInputError([{ field: 'arguments', message: `must be: ${usage}` }]);
}

async function historyIn(file: string): Promise<HistoryJson> {
  try {
    const json = JSON.parse(await readFile(file, 'utf8')) as HistoryJson;
    if (Array.isArray(json.events)) return json;
  } catch {
    // Said below.
  }
  throw new InvalidInputError([
    { field: file, message: 'is no history: make one with `temporal workflow show --output json`' },
  ]);
}

/** The workflow code of the only app that exports a workflow of that name, or of the app that was asked for. */
async function workflowsWith(type: string, root: string, app?: string): Promise<string> {
  const exported = new RegExp(`^export (async )?(function|const) ${type}\\b|^export \\{[^}]*\\b${type}\\b`, 'm');
  const found: string[] = [];
  for (const name of app === undefined ? await readdir(join(root, 'apps')) : [app]) {
    const folder = join(root, 'apps', name, 'src');
    const entry = ['workflows.ts', 'workflows/index.ts'].map((path) => join(folder, path)).find(existsSync);
    if (!entry) continue;
    const below = entry.endsWith('index.ts') ? await readdir(join(folder, 'workflows'), { recursive: true }) : [];
    const sources = [
      entry,
      ...below.filter((path) => path.endsWith('.ts')).map((path) => join(folder, 'workflows', path)),
    ];
    const texts = await Promise.all(sources.map((path) => readFile(path, 'utf8')));
    if (app !== undefined || texts.some((text) => exported.test(text))) found.push(entry);
  }
  const [only, ...more] = found;
  if (only && more.length === 0) return only;
  const which = only ? 'more than one app has' : app === undefined ? 'no app has' : `${app} is no app here, to have`;
  throw new InvalidInputError([{ field: 'app', message: `${which} the workflow ${type}: name one with --app` }]);
}

/** The same code, with a watch that names what it does. */
const watchedBundle = (workflowsPath: string) =>
  bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [fileURLToPath(new URL('./code-notes.ts', import.meta.url))],
    logger: new DefaultLogger('ERROR', () => {}),
  });
