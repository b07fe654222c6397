import { readdir, truncate } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { config, go, type HostAtHand, setOf, stage, startProcess, version } from './environment-host-harness.ts';

const seed = Number(process.env.SEED ?? 1);

/** Everything below the host's folder that a killed process has not finished. */
const halfDone = async (folder: string) =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes('.partial'));

/** What an environment says and serves must be one of the sets that it was given, whole. */
async function expectWhole({ host }: HostAtHand, sets: object[]): Promise<void> {
  const { set } = await host.state(go());
  expect([{}, ...sets]).toContainEqual(set);
  for (const [name, deployed] of Object.entries(set)) {
    expect(await host.served(name, go())).toEqual({ ...deployed, isHealthy: true });
  }
}

/** A host that was killed in the middle of unpacking. Where it was done before the kill came, another one is. */
async function killedWhileUnpacking(tries = 5) {
  const first = await startProcess();
  const set = await stage(first.host, { web: version(1) });
  await first.host.activate({ generation: 1, release: 'r-1', set }, go());
  const large = version(Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`${n}.txt`, `file ${n}`])));
  let answer: string | undefined;
  const upload = first.host.putArtifact(large.artifact, large.archive, go()).then(() => 'done', String);
  void upload.then((said) => (answer = said));
  await expect
    .poll(async () => answer ?? (await halfDone(first.folder)), { interval: 1, timeout: 20_000 })
    .not.toEqual([]);
  await first.child.kill();
  answer = await upload;
  if (answer === 'done' && tries > 1) return killedWhileUnpacking(tries - 1);
  expect(answer).toMatch(/does not answer/);
  return { first, set, large };
}

it('a host that is killed while it unpacks has the version wholly or not at all', async () => {
  const { first, set, large } = await killedWhileUnpacking();
  expect(await first.versions()).not.toContain(large.artifact);

  const second = await startProcess({ folder: first.folder });
  expect(await halfDone(first.folder)).toEqual([]);
  expect(await second.host.hasArtifact(large.artifact, go())).toBe(false);
  await expectWhole(second, [set]);
  await second.host.putArtifact(large.artifact, large.archive, go());
  expect(await second.host.hasArtifact(large.artifact, go())).toBe(true);
});

it('a host that is killed before it switches has not switched, and does so when it is asked again', async () => {
  const first = await startProcess({ withFaults: true });
  const set = await stage(first.host, { web: version(1), shop: version(2) });
  await first.send('PUT', '/-/faults', '{"holdActivations":true}');
  const activation = { generation: 7, release: 'r-7', set };
  const asked = first.host.activate(activation, go()).then(() => 'done', String);
  await expect.poll(async () => JSON.parse((await first.get('/-/faults')).text).held, { timeout: 20_000 }).toBe(1);
  await first.child.kill();
  expect(await asked).toMatch(/does not answer/);

  const second = await startProcess({ folder: first.folder });
  expect(await second.host.state(go())).toEqual({ environment: 'dev', generation: 0, status: 'empty', set: {} });
  expect(await second.host.activate(activation, go())).toMatchObject({ generation: 7, set });
  await expectWhole(second, [set]);
});

it('a host that is killed at any moment points at one whole set, and has all that it has acknowledged', async () => {
  const luck = random(seed);
  const asked: object[] = [];
  const acknowledged = { generation: 0, good: 0, artifacts: new Set<string>() };
  let at = await startProcess();
  for (let round = 0, generation = 1; round < (process.env.TORTURE === 'all' ? 40 : 4); round += 1) {
    let untilKilled = 3 + Math.floor(luck() * 12);
    let gone: Promise<unknown> | undefined;
    const { host, child } = at;
    const told = <Result>(result: Result): Result => {
      untilKilled -= 1;
      if (untilKilled <= 0) gone ??= child.kill();
      return result;
    };
    while (!gone) {
      const [web, shop] = [
        version(generation),
        version({ 'index.html': `shop ${generation}`, 'a.txt': 'x'.repeat(100_000) }),
      ];
      const set = setOf({ web, shop });
      asked.push(set);
      const all = [web, shop].map(async ({ artifact, archive }) => {
        await host.putArtifact(artifact, archive, go()).then(told);
        acknowledged.artifacts.add(artifact);
      });
      try {
        await Promise.all([...all, host.putConfig(config(), go()).then(told)]);
        await host.activate({ generation, release: `r-${generation}`, set }, go()).then(told);
        acknowledged.generation = generation;
        if (luck() < 0.5) {
          await host.markGood(generation, go()).then(told);
          acknowledged.good = generation;
        } else await host.rollBack(generation, go()).then(told);
      } catch (error) {
        if (!gone) throw error;
      }
      await Promise.allSettled(all);
      generation += 1;
    }
    await gone;
    at = await startProcess({ folder: at.folder });
    expect(await halfDone(at.folder)).toEqual([]);
    await expectWhole(at, asked);
    const state = await at.host.state(go());
    expect(state.generation).toBeGreaterThanOrEqual(acknowledged.generation);
    expect(state.lastGood?.generation ?? 0).toBeGreaterThanOrEqual(acknowledged.good);
    for (const artifact of acknowledged.artifacts) expect(await at.host.hasArtifact(artifact, go())).toBe(true);
  }
  expect(acknowledged.generation).toBeGreaterThan(0);
}, 600_000);

/** Numbers from 0 to 1, the same for the same seed. */
function random(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it('a host whose state cannot be read does not start: it would serve something else than it should', async () => {
  const first = await startProcess();
  const { host, folder, child } = first;
  await host.activate({ generation: 1, release: 'r-1', set: await stage(host, { web: version(1) }) }, go());
  await child.kill();
  await truncate(`${folder}/state.json`, 20);
  await expect(startProcess({ folder })).rejects.toThrow(
    /state\.json cannot be read, so nobody knows what this environment serves/,
  );
});
