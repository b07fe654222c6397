import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ignoreTemporalProfile } from '../src/start-environment.ts';
import { type Program, runFixture, runs, temporaryFolder, until } from './programs.ts';

// Programs start slowly on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

function startApp(args: string[], env: NodeJS.ProcessEnv = {}) {
  const folder = temporaryFolder();
  const journal = join(folder, 'journal');
  const app = runFixture('start-app.ts', [join(folder, 'data'), journal, ...args], env);
  const notes = () => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : []);
  const pids = () =>
    notes()
      .findLast((line) => line.startsWith('pids'))
      ?.split(' ')
      .slice(1)
      .map(Number) ?? [];
  return { ...app, notes, pids, steps: () => notes().filter((line) => !line.startsWith('pids')) };
}

const inOrder = ['joins', 'worker stops', 'service stops', 'leaves'];
const press = (app: Program, signal: NodeJS.Signals) => app.process.kill(signal);

// Each test mostly waits for programs of its own.
describe.concurrent('start --once', () => {
  it('exits 0 if the promise is kept, and stops worker, services and lease in that order', async () => {
    const app = startApp(['--once'], { TEMPORAL_PROFILE: 'production' });
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(app.output()).toMatch(/✓ promised: kept ends well {2}\(\d+ ms\)/);
    expect(app.output()).toContain('Ignored: TEMPORAL_PROFILE');
    expect(app.output()).toContain(
      'environment {"TEMPORAL_ADDRESS":"127.0.0.1:1","TEMPORAL_NAMESPACE":"default"} no profile',
    );
    expect(app.steps()).toEqual(inOrder);
    expect(app.pids().filter(runs)).toEqual([]);
  });

  it('exits 1 with expected and actual if it is broken', async () => {
    const app = startApp(['broken', '--once']);
    expect((await app.exited).code).toBe(1);
    expect(app.output()).toMatch(
      /✗ broken promise: broken ends well.*\n {2}the trip ended otherwise\n {2}expected {2}{ status: 'booked' }\n {2}actual {4}{ status: 'lost' }/,
    );
    expect(app.steps()).toEqual(inOrder);
  });

  it('refuses an unknown scenario with the names there are, and starts nothing', async () => {
    const app = startApp(['happy', '--once']);
    expect((await app.exited).code).toBe(2);
    expect(app.output()).toContain('There is no scenario "happy". There are:\n  kept: Scenario kept\n');
    expect(app.notes()).toEqual([]);
  });

  it.each([
    { args: ['no-tool'], says: 'The tool is missing.\nInstall it.\n', steps: inOrder },
    { args: ['--no-stack'], says: 'There is no server program.\nInstall Go.\n', steps: ['joins'] },
    { args: ['bug'], says: 'x is not a function', steps: inOrder },
    { args: ['stray-error'], says: 'thrown by nobody', steps: inOrder },
    { args: ['worker-dies'], says: 'worker ended unexpectedly (SIGKILL)', steps: ['joins', 'service stops', 'leaves'] },
  ])('$args: exits 1 with the message and no stack, and cleans up', async ({ args, says, steps }) => {
    const app = startApp([...args, '--once']);
    expect((await app.exited).code).toBe(1);
    expect(app.output()).toContain(says);
    expect(app.output()).not.toContain('    at ');
    expect(app.steps()).toEqual(steps);
    expect(app.pids().filter(runs)).toEqual([]);
  });

  it('shows the stack with --verbose', async () => {
    const app = startApp(['bug', '--once', '--verbose']);
    expect((await app.exited).code).toBe(1);
    expect(app.output()).toContain('    at ');
  });
});

describe.concurrent('a start that is interrupted', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: cleans up in order and exits %d', async (signal, code) => {
    const app = startApp(['hangs']);
    await app.says('scenario runs');
    press(app, signal);
    expect(await app.exited).toEqual({ code, signal: null });
    expect(app.output()).toContain('stopping; the worker finishes its work first');
    expect(app.steps()).toEqual(inOrder);
    expect(app.pids().filter(runs)).toEqual([]);
  });

  it('Ctrl-C twice: kills the children, gives the lease back and exits at once', async () => {
    const app = startApp(['hangs', '--stubborn']);
    await app.says('scenario runs');
    press(app, 'SIGINT');
    await until(() => app.steps().includes('stubborn stops'), 'the service to be asked');
    press(app, 'SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 300)); // Two presses that close are taken for one.
    press(app, 'SIGINT');
    expect(await app.exited).toEqual({ code: 130, signal: null });
    expect(app.output()).toContain('Stopping at once.');
    expect(app.steps()).toEqual(['joins', 'worker stops', 'stubborn stops', 'leaves']);
    // SIGKILL has been sent; the exit does not wait for the kernel.
    await until(() => app.pids().filter(runs).length === 0, 'the children to be gone');
  });

  it('one Ctrl-C that arrives twice is one', async () => {
    const app = startApp(['hangs']);
    await app.says('scenario runs');
    press(app, 'SIGINT');
    press(app, 'SIGINT');
    expect((await app.exited).code).toBe(130);
    expect(app.steps()).toEqual(inOrder);
  });

  it('Ctrl-C while it joins the stack: the lease that it gets all the same is given back', async () => {
    const app = startApp(['--slow-stack']);
    await app.says('joining');
    press(app, 'SIGINT');
    expect((await app.exited).code).toBe(130);
    expect(app.steps()).toEqual(['joins', 'leaves']);
  });

  it.each(['hangs', 'frozen'])('SIGKILL while %s: no child stays behind', async (name) => {
    const app = startApp([name]);
    await app.says(name === 'frozen' ? 'service frozen' : 'scenario runs');
    expect(app.pids().length).toBeGreaterThan(1);
    press(app, 'SIGKILL');
    await until(() => app.pids().filter(runs).length === 0, 'the children to be gone');
  });
});

describe.concurrent('start at a terminal', () => {
  it('runs the default scenario, then what is chosen by number or name, until q', async () => {
    const app = startApp(['--interactive']);
    await app.says('look around');
    app.process.stdin?.write('99\nbroken\n1\nq\n');
    expect((await app.exited).code, 'one promise was broken').toBe(1);
    expect(app.output().match(/[✓✗].*ends well/g)).toEqual([
      '✓ promised: kept ends well',
      '✗ broken promise: broken ends well',
      '✓ promised: kept ends well',
    ]);
    expect(app.output()).toContain('"99" is none of them');
    expect(app.steps()).toEqual(inOrder);
  });

  it('ends with Ctrl-C at the menu, and with the end of the input', async () => {
    const app = startApp(['--interactive']);
    await app.says('What next?');
    press(app, 'SIGINT');
    expect((await app.exited).code).toBe(130);
    const other = startApp(['--interactive']);
    await other.says('What next?');
    other.process.stdin?.end();
    expect((await other.exited).code).toBe(0);
    expect(other.steps()).toEqual(inOrder);
  });
});

describe('the environment', () => {
  it('keeps what is set beside TEMPORAL_ADDRESS, never the profile', () => {
    const env = { TEMPORAL_ADDRESS: 'there:7233', TEMPORAL_NAMESPACE: 'mine', TEMPORAL_PROFILE: 'prod', PATH: '/bin' };
    expect(ignoreTemporalProfile('/data', env)).toEqual(['TEMPORAL_PROFILE']);
    expect(env).toEqual({
      TEMPORAL_ADDRESS: 'there:7233',
      TEMPORAL_NAMESPACE: 'mine',
      TEMPORAL_CONFIG_FILE: '/data/no-temporal.toml',
      PATH: '/bin',
    });
  });

  it('drops what belongs to another server if no address is set', () => {
    const env = { TEMPORAL_NAMESPACE: 'mine', TEMPORAL_API_KEY: 'k', TEMPORAL_TLS: 'true', TEMPORAL_CLI_PATH: '/t' };
    expect(ignoreTemporalProfile('/data', env)).toEqual(['TEMPORAL_NAMESPACE', 'TEMPORAL_API_KEY', 'TEMPORAL_TLS']);
    expect(env).toEqual({ TEMPORAL_CLI_PATH: '/t', TEMPORAL_CONFIG_FILE: '/data/no-temporal.toml' });
  });
});
