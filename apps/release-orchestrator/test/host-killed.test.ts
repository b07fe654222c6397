import { describe, expect, it, vi } from 'vitest';
import { cancelSignal, environmentWorkflowId, type ReleaseInput } from '../src/contract.ts';
import { realServer } from './real-server.ts';

const at = await realServer('release-host-killed', { hosts: ['dev'] });
const { world } = at;

const deployables = [await world.deployable(), await world.deployable()];
await at.released(await world.aRelease({ deployables, environments: ['dev'] }));

/** What is good in dev, and a newer release of the same two deployables. */
async function second() {
  const { set: before } = await world.state('dev');
  const newer = await Promise.all(deployables.map(({ name }) => world.deployable(name)));
  const request = await world.aRelease({ deployables: newer, environments: ['dev'] });
  return { request, before };
}

/** In `pnpm test` one before an answer and one after it; `pnpm torture` has all. */
const deaths = [
  ['before an upload', 'before-transaction', 'deployArtifact'],
  ['after the switch, which nobody knows of', 'before-return', 'activate'],
  ['after an upload that nobody knows of', 'before-return', 'deployArtifact'],
  ['before it is verified', 'before-transaction', 'verify'],
  ['after it was marked as good, which nobody knows of', 'before-return', 'markGood'],
] as const;

/** Resolves when an attempt has failed because the host is gone. */
const failing = (request: ReleaseInput, names: string[]) =>
  vi.waitFor(
    async () => {
      const parent = environmentWorkflowId(request.release, 'dev');
      const ids = [parent, ...names.map((name) => `${parent}:deploy:${name}`)];
      const found = await Promise.all(
        ids.map((id) =>
          at.client.workflow
            .getHandle(id)
            .describe()
            .catch(() => undefined),
        ),
      );
      const pending = found.flatMap((one) => one?.raw.pendingActivities ?? []);
      const why = pending.map(({ lastFailure }) => lastFailure?.message);
      expect(why).toContainEqual(expect.stringMatching(/does not answer/));
    },
    { timeout: 30_000, interval: 100 },
  );

const names = ({ deployables }: ReleaseInput) => deployables.map(({ name }) => name);

describe('REL-7 an environment host that dies, and comes back', () => {
  it.each(process.env.TORTURE === 'all' ? deaths : deaths.slice(0, 2))(
    '%s: the release goes on',
    async (_, point, of) => {
      const { request } = await second();
      at.around.faults.on({ point, of, effect: 'hang' });
      await at.approved(request);
      await at.met(`${point} of ${of}`);
      await world.host('dev').kill();
      at.around.faults.off();
      // After the last word with the host, nothing of this release asks it any more.
      if (of !== 'markGood') await failing(request, names(request));
      await world.startHost('dev');
      const { status, document } = await at.endOf(request);
      expect(status).toBe('released');
      expect(await world.switches(`release:${request.release}:`)).toEqual(['dev good']);
      await world.expectServed('dev', document?.json.environments[0]?.set ?? {});
    },
  );

  it('with the switch in its hands: it is asked again', async () => {
    const { request } = await second();
    await world.faults('dev', { holdActivations: true });
    await at.approved(request);
    await world.held('dev');
    await world.host('dev').kill();
    await failing(request, names(request));
    await world.startHost('dev');
    expect(await at.endOf(request)).toMatchObject({ status: 'released' });
    expect(await world.switches(`release:${request.release}:`)).toEqual(['dev good']);
  });

  it('before it is rolled back: what was good is served, once it is back', async () => {
    const { request, before } = await second();
    at.around.faults.on({ point: 'before-transaction', of: 'verify' });
    at.around.faults.on({ point: 'before-transaction', of: 'rollBack', effect: 'hang' });
    await at.approved(request);
    await at.met('before-transaction of verify');
    await at.handleOf(request).signal(cancelSignal, { by: 'Ada' });
    await at.met('before-transaction of rollBack');
    await world.host('dev').kill();
    at.around.faults.off();
    await failing(request, names(request));
    await world.startHost('dev');
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled' });
    expect(await world.switches(`release:${request.release}:`)).toEqual(['dev rolled-back']);
    await world.expectServed('dev', before);
  });
});
