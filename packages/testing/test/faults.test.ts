import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Faults, SimulatedFault } from '../src/faults.ts';

/** Calls a fault point so many times. Says for each what became of it. */
async function calls(faults: Faults, operation: string, times: number): Promise<string> {
  let met = '';
  for (let call = 0; call < times; call += 1) {
    met += await faults.reach('after-commit', operation).then(
      () => '.',
      (error: unknown) => (error instanceof SimulatedFault ? 'x' : String(error)),
    );
  }
  return met;
}

describe('a fault point', () => {
  it('does nothing while no fault is on', async () => {
    expect(await calls(new Faults(), 'book', 3)).toBe('...');
  });

  it('meets the next calls of one operation, and then no more', async () => {
    const faults = new Faults();
    faults.on({ point: 'after-commit', of: 'book', calls: 2 });
    expect(await calls(faults, 'cancel', 2)).toBe('..');
    expect(await calls(faults, 'book', 4)).toBe('xx..');
    await faults.reach('before-return', 'book');
    expect(faults.met).toEqual(['after-commit of book', 'after-commit of book']);
  });

  it('meets every call until it is switched off', async () => {
    const faults = new Faults();
    faults.on({ point: 'after-commit' });
    expect(await calls(faults, 'book', 3)).toBe('xxx');
    faults.off();
    expect(await calls(faults, 'book', 3)).toBe('...');
  });

  it('meets by chance what the seed says, whatever arrives between', async () => {
    const drawn = async (seed: number, between: number) => {
      const faults = new Faults(seed);
      faults.on({ point: 'after-commit', chance: 0.3 });
      const first = await calls(faults, 'book', 50);
      await calls(faults, 'cancel', between);
      return first + (await calls(faults, 'book', 50));
    };
    const met = await drawn(7, 0);
    expect(await drawn(7, 13)).toBe(met);
    expect(await drawn(8, 0)).not.toBe(met);
    const count = met.split('x').length - 1;
    expect(count).toBeGreaterThan(15);
    expect(count).toBeLessThan(45);
  });

  it('that hangs goes on when it is switched off', async () => {
    const faults = new Faults();
    faults.on({ point: 'before-return', effect: 'hang' });
    let went = false;
    const call = faults.reach('before-return', 'book').then(() => {
      went = true;
    });
    await faults.reach('after-commit', 'book');
    expect(went).toBe(false);
    faults.off();
    await call;
    expect(went).toBe(true);
  });

  it('that dies takes the process with it', () => {
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href;
    const module = JSON.stringify(new URL('../src/faults.ts', import.meta.url));
    const program = `
      const { Faults } = await import(${module});
      const faults = new Faults();
      faults.on({ point: 'before-transaction', effect: 'die' });
      console.log('reached');
      await faults.reach('before-transaction', 'book');
      console.log('passed');`;
    const options = ['--import', tsx, '--input-type=module', '--eval', program];
    const { signal, stdout } = spawnSync(process.execPath, options, { encoding: 'utf8' });
    expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: 'reached\n' });
  });
});
