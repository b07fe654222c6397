import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OperatorError } from '../src/operator-error.ts';
import { cacheRoot } from '../src/paths.ts';
import { buildFolder } from '../src/programs/cache.ts';
import { ensureDefinition, ensureProgram, locateDefinition } from '../src/programs.ts';
import { fakeProgram, runFile, until, WRITE_FAKE } from './support.ts';

let folder: string;
const counted = () => `echo built >> "${folder}/builds"; ${WRITE_FAKE}`;
const builds = () =>
  existsSync(join(folder, 'builds')) ? readFileSync(join(folder, 'builds'), 'utf8').trim().split('\n').length : 0;
const cacheNames = () => readdirSync(cacheRoot()).filter((name) => name.startsWith('fake'));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('a program is built once and then taken from the cache', async () => {
  const definition = fakeProgram(counted());
  const built = await ensureDefinition(definition);
  const cached = await ensureDefinition(definition);
  expect(built).toMatchObject({ source: 'build', version: '7.7' });
  expect(cached).toMatchObject({ source: 'cache', path: built.path });
  expect(builds()).toBe(1);
});

test('a changed source makes another cache entry', async () => {
  const definition = fakeProgram(counted());
  const first = await ensureDefinition(definition);
  writeFileSync(join(definition.build?.sources ?? '', 'pin'), '1.1');
  const second = await ensureDefinition(definition);
  expect(dirname(second.path)).not.toBe(dirname(first.path));
});

test.each([
  ['without its marker', (entry: string) => rmSync(join(entry, '.complete'))],
  ['without its program', (entry: string) => rmSync(join(entry, 'fake'))],
  ['with a program that cannot be executed', (entry: string) => chmodSync(join(entry, 'fake'), 0o644)],
  ['with half a marker', (entry: string) => writeFileSync(join(entry, '.complete'), '{"vers')],
])('a cache entry %s is made anew', async (_, damage) => {
  const definition = fakeProgram(counted());
  damage(dirname((await ensureDefinition(definition)).path));
  const again = await ensureDefinition(definition);
  expect(again).toMatchObject({ source: 'build', version: '7.7' });
  expect(builds()).toBe(2);
});

test('what an interrupted build left is removed by the next one', async () => {
  const definition = fakeProgram(counted());
  const leftover = `${buildFolder(cacheRoot(), definition)}.partial-4194000`;
  mkdirSync(leftover, { recursive: true });
  await ensureDefinition(definition);
  expect(existsSync(leftover)).toBe(false);
});

test('two processes build once: the second waits and says so', async () => {
  const gate = join(folder, 'gate');
  const script = `while [ ! -e "${gate}" ]; do sleep 0.05; done; ${counted()}`;
  const first = runFile('fixtures/build-program.ts', [script], { XDG_CACHE_HOME: folder });
  await first.says('building the fake server');
  const second = runFile('fixtures/build-program.ts', [script], { XDG_CACHE_HOME: folder });
  await second.says('waiting for it');
  writeFileSync(gate, '');
  expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0]);
  expect(builds()).toBe(1);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s during a build ends it and leaves nothing', async (signal) => {
  const script = `echo $$ > "${folder}/pid"; exec sleep 1000`;
  const building = runFile('fixtures/build-program.ts', [script], { XDG_CACHE_HOME: folder });
  await until(
    'the build runs',
    () => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8') !== '',
  );
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  building.child.kill(signal);
  await building.ended;
  expect(building.child.signalCode).toBe(signal);
  expect(cacheNames()).toEqual([]);
  await until('the build tool is gone', () => !alive(pid));
});

test('a SIGKILLed builder does not block the next one', async () => {
  const building = runFile('fixtures/build-program.ts', [`touch "${folder}/begun"; exec sleep 3`], {
    XDG_CACHE_HOME: folder,
  });
  await until('the build runs', () => existsSync(join(folder, 'begun')));
  building.child.kill('SIGKILL');
  await building.ended;
  expect(cacheNames()).toHaveLength(2);
  const program = await ensureDefinition(fakeProgram(counted()));
  expect(program.source).toBe('build');
  expect(cacheNames()).toHaveLength(1);
});

test('the path in the environment variable wins, and is named when it cannot be used', async () => {
  const mine = join(folder, 'mine');
  writeFileSync(mine, '#!/bin/sh\n# 9.9\n', { mode: 0o755 });
  const env = { ...process.env, FAKE_PATH: mine };
  expect(await ensureDefinition(fakeProgram(counted()), { env })).toEqual({
    path: mine,
    source: 'environment',
    version: '9.9',
  });
  expect(builds()).toBe(0);
  const refusing = fakeProgram(counted(), { refuseVersion: () => 'it is too old' });
  await expect(ensureDefinition(refusing, { env })).rejects.toThrow(
    `FAKE_PATH is ${mine}, and that cannot be used: it is too old.`,
  );
  await expect(
    ensureProgram('temporal', { env: { ...process.env, TEMPORAL_CLI_PATH: join(folder, 'none') } }),
  ).rejects.toThrow(/TEMPORAL_CLI_PATH is .*none, and that cannot be used: it does not run/);
});

test('a program on PATH is used, or passed over with the reason', async () => {
  writeFileSync(join(folder, 'fake'), '#!/bin/sh\n# 0.9\n', { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const onPath = fakeProgram(counted(), { pathNames: ['fake'] });
  expect(await ensureDefinition(onPath, { env })).toMatchObject({ source: 'path', version: '0.9' });
  const located = await locateDefinition({ ...onPath, refuseVersion: () => 'it is too old' }, { env });
  expect(located.program).toBeUndefined();
  expect(located.passedOver).toContain(`${join(folder, 'fake')} on PATH (0.9): it is too old`);
});

test('what is missing is said in one message, with what to install', async () => {
  const definition = fakeProgram(counted(), {
    download: { version: () => 'none', into: () => Promise.reject(new Error('no network')) },
  });
  if (definition.build)
    definition.build.tools = [{ command: 'no-such-tool', install: 'the tool: https://example.org' }];
  const error = await ensureDefinition(definition).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(OperatorError);
  expect((error as OperatorError).message).toBe(
    `There is no program for the fake server. Tried:
  - FAKE_PATH is not set
  - not yet in the cache ${cacheRoot()}
  - building it needs no-such-tool (the tool: https://example.org)
  - the download failed: no network`,
  );
  expect((error as OperatorError).nextStep).toMatch(
    /^Install no-such-tool \(the tool: https:\/\/example.org\), or set FAKE_PATH/,
  );
});

test.each([
  ['echo "compile error"; exit 3', 'sh ended with exit code 3', 'compile error'],
  ['echo "write x: no space left on device"; exit 1', 'No space left on the disk', 'logs/fake.log'],
])('a failed build (%s) names its log', async (script, says, alsoSays) => {
  const error = (await ensureDefinition(fakeProgram(script)).catch((caught: unknown) => caught)) as OperatorError;
  expect(error).toBeInstanceOf(OperatorError);
  expect(`${error.message} ${error.nextStep}`).toContain(says);
  expect(`${error.message} ${error.nextStep}`).toContain(alsoSays);
  expect(cacheNames()).toEqual([]);
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
