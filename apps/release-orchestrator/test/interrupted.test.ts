import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createOrFind, endOf } from '../src/extras/releases.ts';
import { commandsServer } from './commands-server.ts';

const taskQueue = 'release-interrupted';
const { world, client } = await commandsServer(taskQueue, ['dev', 'test']);
const cli = fileURLToPath(new URL('../src/extras/cli.ts', import.meta.url));

/** A command as a program of its own, which gets a signal once it has said that it waits. */
async function interrupted(args: string[], says: RegExp, signal: 'SIGINT' | 'SIGTERM', env = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
    if (!child.killed && says.test(said)) child.kill(signal);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, said };
}

describe('a command that waits is stopped: exit code 130, and how to go on', () => {
  it('create, by Ctrl-C, while nobody serves the queue', async () => {
    const request = await world.aRelease();
    const file = join(world.env.SOURCES_DIR ?? '', 'release.json');
    await writeFile(file, JSON.stringify(request));
    const deserted = world.fresh('deserted');
    const env = { TASK_QUEUE: deserted };
    const { code, said } = await interrupted(['create', file], /^Waiting\. .*start a worker/m, 'SIGINT', env);
    expect(said).toMatch(
      new RegExp(`\\nNot waited for any longer\\. .*\\n {2}TASK_QUEUE=${deserted} \\S.* status ${request.release}\\n$`),
    );
    expect(code).toBe(130);
  });

  it('approve, by SIGTERM; the release goes on', async () => {
    const request = await world.aRelease({ environments: ['dev'] });
    const { release } = request;
    await createOrFind(client, request, 'tests');
    await world.faults('dev', { holdActivations: true });
    const args = ['approve', release, '--by', 'Bob'];
    const { code, said } = await interrupted(args, /waiting for what becomes of it/, 'SIGTERM');
    expect(said).toMatch(
      new RegExp(
        `^Release ${release} is approved by Bob at .*; waiting for what becomes of it\\.\\n` +
          `Not waited for any longer; it goes on: TASK_QUEUE=${taskQueue} .* status ${release}\\n$`,
      ),
    );
    expect(code).toBe(130);
    await world.faults('dev', { holdActivations: false });
    expect(await endOf(client, release)).toMatchObject({ status: 'released' });
  });
});
