import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Child, type ChildOptions, type Exit, spawnChild } from '../src/children.ts';
import { runs, temporaryFolder, until } from './programs.ts';

// Programs start slowly on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const file = fileURLToPath(new URL('./fixtures/child.ts', import.meta.url));
const folder = temporaryFolder();
const logFile = join(folder, 'logs', 'child.log');
const journal = join(folder, 'journal');
const started: Child[] = [];

async function start(behaviour: string, options: Partial<ChildOptions> = {}): Promise<Child> {
  const child = await spawnChild({ name: 'sample', file, args: [behaviour, journal], logFile, ...options });
  started.push(child);
  return child;
}

afterEach(() => Promise.all(started.splice(0).map((child) => child.kill())));

describe('a child', () => {
  it('resolves with what it said when it was ready, and stops on request', async () => {
    const child = await start('normal');
    expect(child.message).toEqual({ ready: true, hello: 'world' });
    expect(runs(child.pid)).toBe(true);
    expect(await child.stop()).toEqual({ code: 0, signal: null });
    expect(readFileSync(journal, 'utf8')).toContain('normal stops');
    expect(await child.stop(), 'stopping again is harmless').toEqual({ code: 0, signal: null });
  });

  it('waits for the port if that is what it is asked to wait for', async () => {
    const child = await start('listens', { ready: 'listening' });
    expect(child.message.listening).toBe(4711);
    await expect(start('normal', { ready: 'listening', readyTimeoutMs: 3000 })).rejects.toThrow('not ready after 3 s');
  });

  it('rejects with the last lines of one that ends before it is ready', async () => {
    await expect(start('fails-early')).rejects.toThrow(
      /sample ended before it was ready \(exit code 3\):\n {2}the port is taken/,
    );
    expect(readFileSync(logFile, 'utf8')).toContain('the port is taken');
  });

  it('is killed when nobody needs it any more before it is ready', async () => {
    const controller = new AbortController();
    let pid = 0;
    const starting = start('never-ready', {
      signal: controller.signal,
      onLine: () => controller.abort(),
      env: { SAMPLE: '1' },
    }).then((child) => (pid = child.pid));
    await expect(starting).rejects.toThrow('not needed any more');
    expect(pid).toBe(0);
  });

  it('is killed if it does not heed SIGTERM in time', async () => {
    const child = await start('stubborn');
    expect(await child.stop({ timeoutMs: 100 })).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('freezes and thaws, and can be stopped while frozen', async () => {
    const answers: unknown[] = [];
    const child = await start('normal', { onMessage: (message) => answers.push(message) });
    child.freeze();
    const state = () => execFileSync('ps', ['-o', 'stat=', '-p', String(child.pid)], { encoding: 'utf8' });
    await until(() => state().startsWith('T'), 'the child to be frozen');
    child.send({ number: 1 });
    expect(answers).toEqual([]);
    child.thaw();
    await until(() => answers.length > 0, 'an answer');
    expect(answers).toEqual([{ echo: { number: 1 } }]);
    child.freeze();
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  it('does not listen to the signal any more once it is ready: many children may have the same one', async () => {
    const { signal } = new AbortController();
    await start('normal', { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('reports an end that nobody asked for, and only such', async () => {
    const unexpected: { exit: Exit; lines: readonly string[] }[] = [];
    const onUnexpectedExit = (exit: Exit, lines: readonly string[]) => void unexpected.push({ exit, lines });
    await (await start('normal', { onUnexpectedExit })).kill();
    expect(unexpected).toEqual([]);
    const crashing = await start('crashes-on-message', { onUnexpectedExit });
    crashing.send({ number: 2 });
    expect(await crashing.exited).toEqual({ code: 7, signal: null });
    expect(unexpected.map(({ exit }) => exit)).toEqual([{ code: 7, signal: null }]);
    crashing.send({ number: 3 });
  });
});
