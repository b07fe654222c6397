import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newLogFolder } from '../src/start-logs.ts';
import { temporaryFolder } from './programs.ts';

it('a start keeps the logs of the last fifty, and of the servers', () => {
  const data = temporaryFolder();
  const logs = join(data, 'logs');
  expect(newLogFolder(data, 'trip-saga', 'first')).toBe(join(logs, 'trip-saga-first'));
  for (let age = 0; age < 53; age++) {
    mkdirSync(join(logs, `trip-saga-${age}`), { recursive: true });
    writeFileSync(join(logs, `trip-saga-${age}`, 'worker-1.log'), 'said');
    utimesSync(join(logs, `trip-saga-${age}`), 2_000_000 - age, 2_000_000 - age);
  }
  writeFileSync(join(logs, 'daemon.log'), 'said');
  utimesSync(join(logs, 'daemon.log'), 1, 1);
  newLogFolder(data, 'trip-saga', 'next');
  const left = readdirSync(logs);
  expect(left).toHaveLength(51);
  expect(left).toContain('daemon.log');
  expect(left).toContain('trip-saga-49');
  expect(left).not.toContain('trip-saga-50');
});
