import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { create } from '../src/starter.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('release-workflows');
const { world } = at;
const everywhere = ['dev', 'test', 'qc', 'prod'] as const;

describe('a release', () => {
  it('REL-1 REL-4 REL-5 reaches every environment in order; they really serve what was documented', async () => {
    const request = await world.aRelease({ environments: [...everywhere] });
    const ending = await at.released(request);
    expect(ending).toMatchObject({ status: 'released', release: request.release });
    const { summary, document, markdown } = ending;
    expect(summary).toMatchObject({ requestedBy: 'Ada', approval: { decision: 'approved', by: 'Bob' } });
    expect(summary.environments.map(({ environment, status }) => [environment, status])).toEqual(
      everywhere.map((environment) => [environment, 'good']),
    );
    expect(document?.json.environments).toHaveLength(4);
    for (const { environment, set } of document?.json.environments ?? []) {
      expect(Object.keys(set)).toEqual(request.deployables.map(({ name }) => name));
      await world.expectServed(environment, set);
      for (const { artifact, config } of Object.values(set))
        expect(markdown).toContain(`\`${artifact}\` | \`${config}\``);
    }
    for (const { steps, deploys } of summary.environments) {
      expect(steps.map(({ step }) => step)).toEqual(['claim', 'activate', 'verify', 'mark-good']);
      for (const deploy of deploys) expect(deploy).toMatchObject({ status: 'staged', steps: { length: 6 } });
    }
    expect(await world.records.release(request.release)).toMatchObject({
      status: 'released',
      documentDigest: summary.document,
      approval: { by: 'Bob' },
    });
  });

  it('leaves the deployables of other releases as they are', async () => {
    const [one, other] = [await world.aRelease(), await world.aRelease()];
    const first = await at.released(one);
    await at.released(other);
    await world.expectServed('dev', first.document?.json.environments[0]?.set ?? {});
  });

  it('of the same again builds nothing again, and its step finds all as it should be', async () => {
    const one = await world.aRelease();
    const first = await at.released(one);
    const again = await at.released({ ...one, release: world.fresh('r') });
    expect(again.document?.json.deployables).toEqual(first.document?.json.deployables);
    expect(again).toMatchObject({ status: 'released' });
  });

  it('REL-3 that is rejected touches no environment', async () => {
    const request = await world.aRelease();
    await at.start(request);
    await at.documented(request);
    await at.handleOf(request).executeUpdate('reject', { args: [{ by: 'Bob' }] });
    expect(await at.endOf(request)).toMatchObject({
      status: 'rejected',
      summary: { approval: { by: 'Bob' }, environments: [] },
    });
    await expectUntouched(request.deployables);
  });

  it('REL-3 that nobody decides on expires', async () => {
    const request = await world.aRelease({ approvalWithin: 3600 });
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({
      status: 'expired',
      summary: { approval: { decision: 'expired' }, environments: [] },
    });
    await expectUntouched(request.deployables);
  });
});

describe('REL-3 a decision', () => {
  it('counts once, and only for the document that was read', async () => {
    const request = await world.aRelease();
    await at.start(request);
    const { digest } = await at.documented(request);
    const refused = (type: string) => ({ cause: { type } });
    await expect(at.approve(request, { by: 'Bob', document: '0'.repeat(64) })).rejects.toMatchObject(
      refused('DocumentMismatch'),
    );
    await expect(at.approve(request, { by: '' })).rejects.toMatchObject(refused('InvalidRelease'));
    expect(await at.approve(request, { by: 'Bob', document: digest })).toMatchObject({ by: 'Bob', document: digest });
    await expect(at.approve(request, { by: 'Eve' })).rejects.toMatchObject(refused('NotWaitingForApproval'));
    expect(await at.endOf(request)).toMatchObject({ status: 'released', summary: { approval: { by: 'Bob' } } });
  });
});

describe('REL-6 REL-9 verification', () => {
  it('that fails for good leaves a first-ever environment empty, and what comes after it untouched', async () => {
    const bad = await world.deployable(undefined, ['qc']);
    const request = await world.aRelease({ deployables: [bad], environments: [...everywhere] });
    const before = await world.state('qc');
    const ending = await at.released(request);
    expect(ending).toMatchObject({ status: 'failed', reason: { type: 'VerificationFailed' } });
    expect(ending.reason?.message).toContain('text');
    expect(ending.summary.environments.map(({ status, isRolledBack }) => [status, isRolledBack])).toEqual([
      ...[
        ['good', undefined],
        ['good', undefined],
      ],
      ['failed', true],
    ]);
    expect((await world.state('qc')).set).toEqual(before.set);
    expect(await world.served('qc', [bad.name])).toEqual({ [bad.name]: undefined });
    expect(await world.switches(`release:${request.release}:`)).toEqual(['dev good', 'test good', 'qc rolled-back']);
  });

  it('that fails for good brings the last good version back, whole', async () => {
    const [web, other] = [await world.deployable(), await world.deployable()];
    const first = await at.released(await world.aRelease({ deployables: [web, other], environments: ['dev'] }));
    const worse = await world.deployable(web.name, ['dev']);
    const request = await world.aRelease({
      deployables: [worse, await world.deployable(other.name)],
      environments: ['dev'],
    });
    expect(await at.released(request)).toMatchObject({ status: 'failed' });
    await world.expectServed('dev', first.document?.json.environments[0]?.set ?? {});
  });

  it.each(['artifact', 'config'] as const)(
    'that finds another %s than was approved fails, though it is well',
    async (part) => {
      const host = world.services.environments.of('dev');
      const honest = host.served.bind(host);
      const another = vi.spyOn(host, 'served').mockImplementation(async (...asked) => {
        const served = await honest(...asked);
        return served && { ...served, [part]: '0'.repeat(64) };
      });
      const request = await world.aRelease({ environments: ['dev'], deployables: [await world.deployable()] });
      const ending = await at.released(request).finally(() => another.mockRestore());
      expect(ending).toMatchObject({ status: 'failed', reason: { type: 'VerificationFailed' } });
      expect(ending.reason?.message).toContain(`serves ${part} 000`);
      expect(await world.switches(`release:${request.release}:`)).toEqual(['dev rolled-back']);
    },
  );

  it('that flaps is asked again', async () => {
    const request = await world.aRelease({ environments: ['dev'], deployables: [await world.deployable()] });
    await at.start(request);
    await at.documented(request);
    await world.faults('dev', { unhealthy: 2 });
    await at.approve(request);
    const { status, summary } = await at.endOf(request);
    expect(status).toBe('released');
    const verify = summary.environments[0]?.steps.find(({ step }) => step === 'verify');
    expect(verify?.attempts).toBe(3);
  });
});

describe('what was approved', () => {
  it('is built again if the store has lost it', async () => {
    const request = await world.aRelease({ environments: ['dev'] });
    await at.start(request);
    const { json } = await at.documented(request);
    await rm(join(world.env.STORE_DIR ?? '', 'artifacts'), { recursive: true });
    await at.approve(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'released' });
    await world.expectServed('dev', json.environments[0]?.set ?? {});
  });

  it('is not replaced by what the source is now', async () => {
    const request = await world.aRelease({ environments: ['dev'] });
    await at.start(request);
    await at.documented(request);
    await rm(join(world.env.STORE_DIR ?? '', 'artifacts'), { recursive: true });
    await world.write(`${request.deployables[0]?.source}/index.html`, '<p>something else {{text}}</p>');
    await at.approve(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'failed', reason: { type: 'SourceChanged' } });
    await expectUntouched(request.deployables);
  });
});

describe('bad input that only the files show', () => {
  it.each([
    ['a source that is not there', 'InvalidSource', async () => ({ name: world.fresh('web'), source: 'nowhere' })],
    [
      'a link out of the folder',
      'InvalidSource',
      async () => {
        const web = await world.deployable();
        await symlink('/etc/hostname', join(world.env.SOURCES_DIR ?? '', web.source, 'host.html'));
        return web;
      },
    ],
    [
      'no config for one environment',
      'InvalidConfig',
      async () => {
        const web = await world.deployable();
        await rm(join(world.env.CONFIGS_DIR ?? '', 'test', `${web.name}.json`));
        return web;
      },
    ],
    [
      'a config that is nested',
      'InvalidConfig',
      async () => {
        const web = await world.deployable();
        await world.write(`configs/test/${web.name}.json`, `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`);
        return web;
      },
    ],
  ])('%s is refused, and no environment is touched', async (_, type, make) => {
    const deployables = [await world.deployable(), await make()];
    const request = await world.aRelease({ deployables });
    const handle = await at.start(request);
    expect(await handle.result()).toMatchObject({ status: 'refused', reason: { type } });
    await expectUntouched(deployables);
  });
});

describe('the same release again', () => {
  it('gets the answer of the first one; with other details it is refused by field', async () => {
    const request = await world.aRelease();
    const { client } = at.env;
    const first = await create(client, request, 'test');
    expect(first).toMatchObject({ status: 'waiting-for-approval' });
    expect(await create(client, request, 'test')).toEqual(first);
    await expect(create(client, { ...request, environments: ['dev'] }, 'test')).rejects.toMatchObject({
      cause: { type: 'ReleaseMismatch', message: expect.stringMatching(/^environments: /) },
    });
    await at.approve(request);
    await at.endOf(request);
  });

  it('that breaks a rule fails by field, whoever starts it', async () => {
    const request = await world.aRelease({ environments: ['prod'] });
    const handle = await at.start(request);
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'InvalidRelease', message: 'environments: must have qc if they have prod' },
    });
    expect(await world.records.release(request.release)).toBeUndefined();
  });
});

async function expectUntouched(deployables: readonly { name: string }[]): Promise<void> {
  const names = deployables.map(({ name }) => name);
  for (const environment of everywhere) {
    expect(await world.served(environment, names)).toEqual(Object.fromEntries(names.map((name) => [name, undefined])));
  }
}
