import { spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { ensureProgram } from '../src/programs.ts';
import { answers, freePort } from '../src/stack-servers/ports.ts';
import { until } from './support.ts';

test('skips 60 days at once', async () => {
  const { path } = await ensureProgram('temporal-test-server');
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  try {
    const before = await environment.currentTimeMs();
    await environment.sleep('60 days');
    expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(60 * 86_400_000);
  } finally {
    await environment.teardown();
  }
});

test('listens on loopback only and ends with a parent that is killed', async () => {
  const { path } = await ensureProgram('temporal-test-server');
  const port = await freePort(0);
  const script = `require('node:child_process').spawn(${JSON.stringify(path)}, ['${port}'], { stdio: 'inherit' })`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [parent.stdout, parent.stderr]) stream.on('data', (chunk) => (printed += chunk));
  await until('it answers', () => answers('127.0.0.1', port, 1000));
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4');
  if (outside) expect(await answers(outside.address, port, 1000)).toBe(false);
  parent.kill('SIGKILL');
  await until('it is gone', async () => !(await answers('127.0.0.1', port, 1000)), 3000);
  expect(printed).toBe('');
});
