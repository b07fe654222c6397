import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLock } from '../src/lock.ts';
import { runFile } from './support.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(folder, 'the.lock');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('another process waits until the lock is released', async () => {
  const lock = await acquireLock(path);
  const other = runFile('fixtures/hold-lock.ts', [path]);
  await other.says('waiting');
  expect(other.lines).toEqual(['waiting']);
  lock.release();
  await other.says('held');
  other.child.stdin?.end();
  await other.ended;
  expect(existsSync(path)).toBe(false);
});

test('the lock of a killed process is taken over', async () => {
  const other = runFile('fixtures/hold-lock.ts', [path]);
  await other.says('held');
  other.child.kill('SIGKILL');
  await other.ended;
  const lock = await acquireLock(path, () => expect.unreachable('nobody holds it'));
  lock.release();
});

test('a lock whose number now belongs to another process is taken over', async () => {
  writeFileSync(path, JSON.stringify({ pid: process.pid, started: 'some other time' }));
  (await acquireLock(path)).release();
});

test('a lock that cannot be read is taken over, by one of many at once', async () => {
  writeFileSync(path, '');
  let holders = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const lock = await acquireLock(path);
      expect(++holders).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      lock.release();
    }),
  );
});
