import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { config, go, setOf, sharedHost, stage, startHost, version } from './environment-host-harness.ts';

const [one, two, three] = [version(1), version(2), version(3)];

/** A host with all three versions on it, and short words for what can be asked. */
async function aHost() {
  const at = await startHost();
  const { host } = at;
  await stage(host, { one, two, three });
  return {
    ...at,
    activate: (generation: number, set = setOf({ web: one }), others?: 'keep' | 'remove') =>
      host.activate({ generation, release: `r-${generation}`, set, ...(others && { others }) }, go()),
    good: (generation: number) => host.markGood(generation, go()),
    rollBack: (generation: number) => host.rollBack(generation, go()),
    state: () => host.state(go()),
    page: async (name = 'web') => {
      const { status, text } = await at.get(`/${name}/`);
      return status === 200 ? text : status;
    },
  };
}

const empty = { environment: 'dev', generation: 0, status: 'empty', set: {} };

const untouched = sharedHost();

describe('an activation', () => {
  it('switches to the whole set', async () => {
    const { activate, state, page } = await aHost();
    expect(await state()).toEqual(empty);
    const set = setOf({ web: one, shop: two });
    const active = { environment: 'dev', generation: 3, release: 'r-3', status: 'active', set };
    expect(await activate(3, set)).toEqual(active);
    expect(await state()).toEqual(active);
    expect([await page('web'), await page('shop')]).toEqual([
      '<p>version 1 as configured',
      '<p>version 2 as configured',
    ]);
  });

  it('is harmless again, in whatever order it is written, also when it was found good', async () => {
    const { activate, good, state } = await aHost();
    await activate(1, setOf({ web: one, shop: two }));
    const once = await state();
    expect(await activate(1, setOf({ shop: two, web: one }))).toEqual(once);
    const found = await good(1);
    expect(await activate(1, setOf({ web: one, shop: two }))).toEqual(found);
  });

  it('is refused with another set under the same generation', async () => {
    const { activate, state } = await aHost();
    const before = await activate(1);
    for (const set of [setOf({ web: two }), setOf({ web: one, shop: two })]) {
      await expect(activate(1, set)).rejects.toMatchObject({ type: 'GenerationMismatch', field: 'generation' });
    }
    expect(await state()).toEqual(before);
  });

  it('is refused when a newer one has been there: nothing goes back by accident', async () => {
    const { activate, good, rollBack, state, page } = await aHost();
    await activate(5, setOf({ web: two }));
    const before = await state();
    const older = {
      type: 'OlderGeneration',
      field: 'generation',
      message: expect.stringContaining('generation 5 of release r-5'),
    };
    await expect(activate(4)).rejects.toMatchObject(older);
    await expect(good(4)).rejects.toMatchObject(older);
    await expect(rollBack(4)).rejects.toMatchObject(older);
    expect(await state()).toEqual(before);
    expect(await page()).toBe('<p>version 2 as configured');
  });

  it('is refused as long as a part of it is not there', async () => {
    const { activate, host, state } = await aHost();
    const missing = { type: 'MissingParts', field: 'set' };
    const four = version(4);
    await expect(activate(1, setOf({ web: one, shop: four }))).rejects.toMatchObject({
      ...missing,
      message: expect.stringContaining(`${four.artifact} of shop is not there`),
    });
    const other = config({ text: 'other' });
    await expect(activate(1, setOf({ web: one }, other))).rejects.toMatchObject({
      ...missing,
      message: expect.stringContaining(`${other.hash} of web`),
    });
    expect(await state()).toEqual(empty);
    await host.putArtifact(four.artifact, four.archive, go());
    expect(await activate(1, setOf({ web: one, shop: four }))).toMatchObject({ generation: 1 });
  });

  it('keeps the other deployables of the last good set, and nothing that was not found good', async () => {
    const { activate, good, page } = await aHost();
    await activate(1, setOf({ web: one, shop: one }));
    await good(1);
    await activate(2, setOf({ shop: two, bad: two }));
    expect(await activate(3, setOf({ web: three }))).toMatchObject({ set: setOf({ web: three, shop: one }) });
    expect([await page('web'), await page('shop'), await page('bad')]).toEqual([
      '<p>version 3 as configured',
      '<p>version 1 as configured',
      404,
    ]);
    expect(await activate(4, setOf({ web: three }), 'remove')).toMatchObject({ set: setOf({ web: three }) });
  });

  it.each<[what: string, body: string, field: string]>([
    ['no JSON', '{', 'body'],
    ['deep nesting', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'body'],
    ['no generation', '{"release":"r","set":{"web":{}}}', 'generation'],
    ['a generation of 0', '{"generation":0,"release":"r","set":{}}', 'generation'],
    ['a generation of 1e400', '{"generation":1e400,"release":"r","set":{}}', 'generation'],
    ['a generation that is text', '{"generation":"1","release":"r","set":{}}', 'generation'],
    ['an empty set', '{"generation":1,"release":"r","set":{}}', 'set'],
    ['a name that leads out', '{"generation":1,"release":"r","set":{"../web":{}}}', 'set.../web'],
    [
      'a path for a digest',
      '{"generation":1,"release":"r","set":{"web":{"artifact":"../..","config":"x"}}}',
      'set.web.artifact',
    ],
    ['something unknown', '{"generation":1,"release":"r","set":{},"force":true}', 'set'],
  ])('is refused with %s', async (_, body, field) => {
    const { send, host } = untouched();
    expect(await send('POST', '/-/activate', body)).toMatchObject({
      status: 400,
      body: { error: { type: 'InvalidRequest', field } },
    });
    expect(await host.state(go())).toEqual(empty);
  });
});

describe('rolling back', () => {
  it('leads to the last good set, however often it is asked for', async () => {
    const { activate, good, rollBack, page } = await aHost();
    await activate(1, setOf({ web: one }));
    const lastGood = { generation: 1, release: 'r-1', set: setOf({ web: one }) };
    expect(await good(1)).toMatchObject({ status: 'good', lastGood });
    await activate(2, setOf({ web: two, shop: two }));
    const back = {
      environment: 'dev',
      generation: 2,
      release: 'r-2',
      status: 'rolled-back',
      set: lastGood.set,
      lastGood,
    };
    expect(await rollBack(2)).toEqual(back);
    expect(await rollBack(2)).toEqual(back);
    expect([await page('web'), await page('shop')]).toEqual(['<p>version 1 as configured', 404]);
  });

  it('leads to nothing if nothing was ever good', async () => {
    const { activate, rollBack, page } = await aHost();
    await activate(1);
    expect(await rollBack(1)).toMatchObject({ generation: 1, status: 'empty', set: {} });
    expect(await page()).toBe(404);
  });

  it.each(['before', 'after'] as const)('is final, whether the activation came %s it', async (order) => {
    const { activate, good, rollBack, state } = await aHost();
    await activate(1);
    await good(1);
    if (order === 'before') await activate(2, setOf({ web: two }));
    await rollBack(2);
    const before = await state();
    expect(before).toMatchObject({ generation: 2, status: 'rolled-back', set: setOf({ web: one }) });
    await expect(activate(2, setOf({ web: two }))).rejects.toMatchObject({ type: 'RolledBack' });
    await expect(good(2)).rejects.toMatchObject({ type: order === 'before' ? 'RolledBack' : 'NotActivated' });
    expect(await state()).toEqual(before);
    expect(await activate(3, setOf({ web: three }))).toMatchObject({ generation: 3, status: 'active' });
  });

  it('does not undo what was found good', async () => {
    const { activate, good, rollBack, state } = await aHost();
    await activate(1);
    await good(1);
    const before = await state();
    expect(await rollBack(1)).toEqual(before);
    expect(await rollBack(2)).toMatchObject({ generation: 2, status: 'rolled-back', set: setOf({ web: one }) });
  });
});

describe('finding it good', () => {
  it('is refused for what was never activated', async () => {
    const { good, activate, state } = await aHost();
    await activate(1);
    const before = await state();
    await expect(good(2)).rejects.toMatchObject({ type: 'NotActivated', field: 'generation' });
    expect(await state()).toEqual(before);
  });
});

describe('what is not in use', () => {
  it('is thrown away when it has not been asked for, but not what a rolling back leads to', async () => {
    const { host, versions, folder } = await startHost({ unusedMs: 0 });
    const configs = () => readdir(join(folder, 'configs'));
    for (const [index, one] of [version(1), version(2), version(3)].entries()) {
      const generation = index + 1;
      const set = await stage(host, { web: one }, config({ text: String(generation) }));
      await host.activate({ generation, release: `r-${generation}`, set }, go());
      if (generation < 3) await host.markGood(generation, go());
    }
    expect((await versions()).sort()).toEqual([two.artifact, three.artifact].sort());
    expect((await configs()).length).toBe(2);
    await host.rollBack(3, go());
    expect(await versions()).toEqual([two.artifact]);
    expect(await host.served('web', go())).toMatchObject({ isHealthy: true });
  });

  it('stays for a while after it was uploaded, or looked for by a release', async () => {
    const { host, activate, folder, get, versions } = await aHost();
    await activate(1);
    const old = async (digest: string) => utimes(join(folder, 'versions', digest), 1, 1);
    const configAt = join(folder, 'configs', `${config({ text: 'other' }).hash}.json`);
    await host.putConfig(config({ text: 'other' }), go());
    for (const { artifact } of [one, two, three]) await old(artifact);
    await utimes(configAt, 1, 1);
    expect(await host.hasArtifact(two.artifact, go())).toBe(true);
    expect(await host.hasConfig(config({ text: 'other' }).hash, go())).toBe(true);
    expect((await get(`/-/artifacts/${three.artifact}`)).status).toBe(200);
    await host.markGood(1, go());
    expect((await versions()).sort()).toEqual([one.artifact, two.artifact].sort());
    expect(await readdir(join(folder, 'configs'))).toHaveLength(2);
  });
});
