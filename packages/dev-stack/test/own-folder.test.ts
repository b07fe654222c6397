import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OperatorError } from '../src/operator-error.ts';
import { ownFolder } from '../src/stack-servers/places.ts';
import { temporaryFolder } from './programs.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;

it('a folder of this user is made, and found again, with its mode', () => {
  const path = join(temporaryFolder(), 'mine');
  expect(modeOf(ownFolder(path, 0o700))).toBe(0o700);
  expect(modeOf(ownFolder(path, 0o711))).toBe(0o711);
});

it('a link is refused, and what it leads to stays as it is', () => {
  const folder = temporaryFolder();
  const [target, link] = [join(folder, 'target'), join(folder, 'link')];
  mkdirSync(target, { mode: 0o755 });
  symlinkSync(target, link);
  expect(() => ownFolder(link, 0o700)).toThrow(OperatorError);
  expect(() => ownFolder(link, 0o700)).toThrow(/link is a link, or belongs to another user/);
  expect(modeOf(target)).toBe(0o755);
});
