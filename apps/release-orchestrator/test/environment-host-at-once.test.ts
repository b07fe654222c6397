import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DeployedSet, EnvironmentState } from '../src/services.ts';
import { go, type HostAtHand, setOf, sharedHost, stage, version } from './environment-host-harness.ts';

const at = sharedHost();
const seed = Number(process.env.SEED ?? 1);
const generations = 6;

/** A version whose page says its number often enough that it does not fit into one write. */
const numbered = Array.from({ length: generations }, (_, n) => version({ 'index.html': `${n} `.repeat(60_000) }));

const call = fc.record({
  generation: fc.nat({ max: generations - 1 }),
  what: fc.constantFrom(...(['activate', 'activate', 'activate', 'good', 'rollBack'] as const)),
});
/** Waves of calls that are made at once. */
const plan = fc.array(fc.array(call, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 });

/** Both deployables of one number, or nothing at all. */
function expectWhole(set: DeployedSet): void {
  const numbers = Object.values(set).map(({ artifact }) => numbered.findIndex((one) => one.artifact === artifact));
  expect([[], ...numbered.map((_, n) => [n, n])]).toContainEqual(numbers);
}

/** Looks at everything that a visitor can see. */
async function lookAround({ host, get }: HostAtHand): Promise<void> {
  expectWhole((await host.state(go())).set);
  const { status, text } = await get('/web/');
  if (status === 200) expect(new Set(text.trim().split(' ')).size).toBe(1);
  else expect(status).toBe(404);
  for (const name of ['web', 'shop']) {
    const served = await host.served(name, go());
    expect(served ?? { isHealthy: true }).toMatchObject({ isHealthy: true });
  }
}

/** Looks at what is on the disk, where a host that is killed now would start from. */
async function lookAtDisk({ folder }: HostAtHand, last: { generation: number }): Promise<void> {
  const state = JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')) as EnvironmentState;
  expectWhole(state.set);
  expect(state.generation).toBeGreaterThanOrEqual(last.generation);
  last.generation = state.generation;
}

/** Looks again and again, until told to stop. @returns how often it has looked */
function watch(look: () => Promise<void>): () => Promise<number> {
  let isOver = false;
  const watching = (async () => {
    let looks = 0;
    for (; !isOver; looks += 1) await look();
    return looks;
  })();
  watching.catch(() => {});
  return () => {
    isOver = true;
    return watching;
  };
}

/** What the newest generation may have come to, if it was activated, found good and rolled back in whatever order. */
function expectEnd(state: EnvironmentState, set: object): void {
  const { status, lastGood } = state;
  if (status === 'active') expect(state.set).toEqual(set);
  if (status === 'good') expect([state.set, lastGood?.set, lastGood?.generation]).toEqual([set, set, state.generation]);
  if (status === 'rolled-back') expect(state.set).toEqual(lastGood?.set);
  if (status === 'empty') expect([state.set, lastGood]).toEqual([{}, undefined]);
}

it('any calls at once leave one whole set at every moment, and never an older one', async () => {
  const { host } = at();
  await host.rollBack(1, go());
  await stage(host, Object.fromEntries(numbered.map((one, n) => [`v${n}`, one])));
  await fc.assert(
    fc.asyncProperty(plan, async (waves) => {
      const base = (await host.state(go())).generation + 1;
      const last = { generation: 0 };
      const stops = [watch(() => lookAround(at())), watch(() => lookAtDisk(at(), last))];
      let newest = 0;
      for (const wave of waves) {
        const answers = wave.map(({ generation: n, what }) => {
          const generation = base + n;
          const one = numbered[n] ?? version(0);
          const set = setOf({ web: one, shop: one });
          if (what === 'activate') return host.activate({ generation, release: `r-${n}`, set }, go());
          return what === 'good' ? host.markGood(generation, go()) : host.rollBack(generation, go());
        });
        for (const answer of await Promise.allSettled(answers)) {
          if (answer.status === 'fulfilled') newest = Math.max(newest, answer.value.generation);
          else expect(answer.reason.type).toMatch(/^(OlderGeneration|RolledBack|NotActivated)$/);
        }
      }
      for (const stop of stops) expect(await stop()).toBeGreaterThan(0);
      const state = await host.state(go());
      const heard = waves.flat().filter(({ what }) => what !== 'good');
      if (heard.length === 0) return;
      const highest = Math.max(...heard.map(({ generation }) => generation));
      expect([state.generation, newest]).toEqual([base + highest, base + highest]);
      const one = numbered[highest] ?? version(0);
      expectEnd(state, setOf({ web: one, shop: one }));
    }),
    { seed, numRuns: process.env.TORTURE === 'all' ? 100 : 8, endOnFailure: true },
  );
}, 300_000);
