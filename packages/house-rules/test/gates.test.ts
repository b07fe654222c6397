import { describe, expect, test } from 'vitest';
import { type Gate, runGates, summary } from '../src/gates.ts';

const gate = (name: string, script: string, alone = false): Gate => ({
  name,
  command: `node -e "${script}"`,
  next: `pnpm ${name}`,
  alone,
});

const plain = (text: string): string => text.replace(/\p{Cc}\[\d+m/gu, '');

describe('gates', () => {
  test('all run, also after one has failed, and the summary says which did', async () => {
    let printed = '';
    const gates = [
      gate('lint', `console.log('bad line'); process.exit(3)`),
      gate('rules', `console.log('fine')`),
      gate('tests', `console.log('7 passed, 0 failed')`, true),
    ];
    const results = await runGates(gates, process.cwd(), 2, (text) => {
      printed += text;
    });
    expect(results.map(({ gate: { name }, passed }) => [name, passed])).toEqual([
      ['lint', false],
      ['rules', true],
      ['tests', true],
    ]);
    expect(plain(printed)).toMatch(/── lint {2}failed in [\d.]+ s .*\nbad line/);
    expect(plain(printed)).toMatch(/── rules {2}passed in [\d.]+ s .*\nfine/);
    expect(plain(printed).indexOf('── tests')).toBeGreaterThan(plain(printed).indexOf('── rules'));
    expect(plain(summary(results)).replace(/ +[\d.]+ s/g, '')).toBe(`
  ✗ lint  → pnpm lint
  ✓ rules
  ✓ tests

1 of 3 gates failed: lint.
7 passed, 0 failed`);
  });

  test('a command that does not exist is a failed gate', async () => {
    const [result] = await runGates(
      [{ name: 'gone', command: 'no-such-command', next: '' }],
      process.cwd(),
      1,
      () => {},
    );
    expect(result?.passed).toBe(false);
    expect(result?.output).toContain('no-such-command');
  });
});
