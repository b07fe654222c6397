import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../src/extras/cli.ts';
import { readRequestFile } from '../src/extras/request-file.ts';

const cli = fileURLToPath(new URL('../src/extras/cli.ts', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-cli-'));
  await mkdir(join(folder, 'is-a-folder.json'));
  await symlink(join(folder, 'nowhere'), join(folder, 'dangling.json'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = 0;
});

/** A command in this process, against a Temporal that is not there: what is refused is refused before that. */
async function release(...args: string[]) {
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:9');
  vi.stubEnv('DATABASE_URL', 'postgres://nobody:nothing@127.0.0.1:9/none');
  vi.stubEnv('INIT_CWD', folder);
  let output = '';
  const hear = (text: unknown) => {
    output += `${String(text)}\n`;
    return true;
  };
  vi.spyOn(console, 'error').mockImplementation(hear);
  vi.spyOn(process.stderr, 'write').mockImplementation(hear);
  let exit: unknown;
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    exit = code;
    throw new Error('the process has ended');
  });
  await run(args);
  expect(output).not.toMatch(/^ +at /m);
  return { code: exit ?? process.exitCode, output: output.trim() };
}

const good = {
  release: 'r-1',
  deployables: [{ name: 'hello-web', source: 'deployables/hello-web' }],
  environments: ['dev', 'test', 'qc', 'prod'],
  requestedBy: 'ada',
};

describe('bad input is refused by field, with exit code 2, before anything is asked of anybody', () => {
  it.each([
    [{ environments: ['dev', 'dev'] }, /^environments: must not have dev twice$/],
    [{ environments: ['moon'] }, /^environments\.0: must be one of dev, test, qc, prod$/],
    [{ environments: ['prod'] }, /^environments: must have qc if they have prod$/],
    [{ environments: ['test', 'dev'] }, /^environments: must be in the order of promotion: dev, test, qc, prod$/],
    [{ environments: Array(500).fill('dev') }, /^environments: must have at most 4 entries$/],
    [{ environments: [] }, /^environments: must have at least one entry$/],
    [{ environments: 'dev' }, /^environments: must be a list$/],
    [{ release: '../r-1' }, /^release: must be 1 to 64 letters/],
    [{ release: 'r 1' }, /^release: must be 1 to 64 letters/],
    [{ release: 'r'.repeat(65) }, /^release: must be 1 to 64 letters/],
    [{ release: undefined }, /^release: is missing$/],
    [{ deployables: [{ name: 'a', source: '../a' }] }, /^deployables\.0\.source: must be a path inside the sources/],
    [{ deployables: [{ name: 'a', source: '/etc' }] }, /^deployables\.0\.source: must be a path inside the sources/],
    [{ deployables: [{ name: 'a b', source: 'a' }] }, /^deployables\.0\.name: must be 1 to 40 small letters/],
    [{ deployables: [...good.deployables, ...good.deployables] }, /^deployables: must not have hello-web twice$/],
    [{ deployables: Array(21).fill({}) }, /^deployables: must have at most 20 entries$/],
    [{ approvalWithin: Infinity }, /^approvalWithin: must be a whole number of seconds$/],
    [{ approvalWithin: -1 }, /^approvalWithin: must be at least 1$/],
    [{ requestedBy: 'a\u0007b' }, /^requestedBy: must not contain control characters$/],
    [{ colour: 'red' }, /^colour: is not known here$/],
  ])('create %j', async (change, says) => {
    await writeFile(join(folder, 'release.json'), JSON.stringify({ ...good, ...change }));
    const { code, output } = await release('create', 'release.json');
    expect(output).toMatch(says);
    expect(code).toBe(2);
  });

  it.each([
    ['missing.json', '', /^missing\.json: is not there: .*\/missing\.json/],
    ['is-a-folder.json', '', /^is-a-folder\.json: is no file$/],
    ['dangling.json', '', /^dangling\.json: is not there/],
    ['words.json', 'release r-1', /^words\.json: is not JSON: /],
    ['empty.json', '', /^empty\.json: is not JSON: /],
    ['list.json', '[]', /^input: /],
    ['null.json', 'null', /^input: /],
    ['deep.json', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, /^deep\.json: is nested deeper than 16 levels$/],
    ['open.json', '{"a":'.repeat(10_000), /^open\.json: is nested deeper than 16 levels$/],
    ['huge.json', `{"release":"${'r'.repeat(100_000)}"}`, /^huge\.json: has more than 64 KiB$/],
  ])('create %s', async (name, text, says) => {
    if (!['missing.json', 'is-a-folder.json', 'dangling.json'].includes(name))
      await writeFile(join(folder, name), text);
    const { code, output } = await release('create', name);
    expect(output).toMatch(says);
    expect(code).toBe(2);
  });

  it.each([
    [['show', '../r'], /^release: must be 1 to 64 letters/],
    [['status', ''], /^release: must be 1 to 64 letters/],
    [['approve', 'r-1', '--by', ''], /^by: must not be empty$/],
    [['approve', 'r-1', '--document', 'abc'], /^document: must be 64 digits of a SHA-256/],
    [['reject', 'r 1'], /^release: must be 1 to 64 letters/],
    [['cancel', 'r-1', '--by', 'x'.repeat(101)], /^by: must have at most 100 characters$/],
    [['list', '--status', 'lost', '--limit', '0'], /^status: must be one of .*\nlimit: must be at least 1$/],
    [['rollback'], /required option '--env <environment>' not specified/],
    [['rollback', '--env', 'moon', '--to', 'r-1'], /^environment: must be one of .*\nto: must be the number/],
    [['rollback', '--env', 'qc', '--to', '0'], /^to: must be at least 1$/],
    [['history', '--env', 'moon', '--limit', '1e9'], /^environment: must be one of .*\nlimit: must be /],
    [['env', 'show', 'moon'], /^environment: must be one of dev, test, qc, prod$/],
    [['reconcile', '--grace', 'soon'], /^grace: must be a duration, as 30s, 15m, 2h or 1d$/],
    [['env', 'melt'], /unknown command 'melt'/],
  ])('%j', async (args, says) => {
    const { code, output } = await release(...args);
    expect(output).toMatch(says);
    expect(code).toBe(2);
  });
});

describe('the file of a release', () => {
  it('may come from standard input, from where the command was typed, or from the current folder', async () => {
    vi.stubEnv('INIT_CWD', folder);
    await writeFile(join(folder, 'release.json'), `\uFEFF${JSON.stringify(good)}`);
    expect(await readRequestFile('release.json')).toEqual(good);
    expect(await readRequestFile('package.json')).toMatchObject({ type: 'module' });
    expect(
      await readRequestFile(
        '-',
        (async function* () {
          yield Buffer.from('{"a":"]]]]]]]]]]\\"[[[[[[[[[[[[[[[[[[[[[[[[["');
          yield Buffer.from('}');
        })(),
      ),
    ).toEqual({ a: ']]]]]]]]]]"[[[[[[[[[[[[[[[[[[[[[[[[[' });
  });
});

it.each([
  [
    ['env', 'show'],
    { ENVIRONMENTS: '' },
    /^No environments run here for task queue deserted.*\n→ Start them, with a worker: TASK_QUEUE=deserted /,
  ],
  [['env', 'show'], { ENVIRONMENTS: 'dev' }, /^The configuration is not right:\n {2}ENVIRONMENTS .* must be \{"dev":/],
  [['history'], {}, /^PostgreSQL does not answer.*\n→ Start it, or say with DATABASE_URL where it is/],
])('%j where there is nobody: one message with the next step, and exit code 1', async (args, env, says) => {
  vi.stubEnv('TASK_QUEUE', 'deserted');
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const { code, output } = await release(...args);
  expect(output).toMatch(says);
  expect(code).toBe(1);
});

it('a mistyped command is bad input, as a shell sees it: exit code 2, and which commands there are', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, 'relaese'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(2);
  expect(output.trim()).toMatch(/^command: relaese is none of start, worker, .*create, .*reconcile, migrate$/);
});
