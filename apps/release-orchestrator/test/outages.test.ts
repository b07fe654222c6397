import { joinStack } from '@repo/dev-stack';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type Environment, failureTypes, type ReleaseInput } from '../src/contract.ts';
import { realServer } from './real-server.ts';

// Servers of this file's own: the other files need theirs.
const stack = await joinStack({ need: ['postgres', 'temporal'], ephemeral: true, ignoreEnvironment: true });
afterAll(() => stack.leave());
const at = await realServer('release-outages', {
  postgresUrl: stack.postgres?.url ?? '',
  temporalAddress: stack.temporal?.address ?? '',
});
const { world } = at;

/** A release that comes to an activity, and has to wait before it. Those that follow do not get past it either. */
async function heldBefore(activity: string, environments: Environment[]): Promise<ReleaseInput> {
  const request = await world.aRelease({ environments, deployables: [await world.deployable()] });
  at.around.faults.on({ point: 'before-transaction', of: activity, effect: 'hang' });
  await at.start(request);
  await at.documented(request);
  await at.approve(request);
  await at.met(`before-transaction of ${activity}`);
  return request;
}

/** Releases to different environments, each in another phase: the later one is made, the earlier it stops. */
const heldEverywhere = async (): Promise<ReleaseInput[]> => [
  await heldBefore('markGood', ['dev']),
  await heldBefore('claim', ['test']),
  await heldBefore('decide', ['qc', 'prod']),
];

/** Each environment was switched once, to what was released there. */
async function expectReleased(requests: ReleaseInput[]): Promise<void> {
  for (const request of requests) {
    const { status, document } = await at.endOf(request);
    expect(status).toBe('released');
    const parts = document?.json.environments ?? [];
    expect(await world.switches(`release:${request.release}:`)).toEqual(
      parts.map(({ environment }) => `${environment} good`),
    );
    for (const { environment, set } of parts) await world.expectServed(environment, set);
    expect(await world.records.release(request.release)).toMatchObject({ status: 'released' });
  }
}

/** Resolves when Temporal knows that something of this does not work. */
const failing = async ({ release }: ReleaseInput) => {
  const open = [`release:${release}`, ...['dev', 'test'].map((name) => `release:${release}:env:${name}`)];
  await vi.waitFor(
    async () => {
      const found = await Promise.all(
        open.map((id) =>
          at.client.workflow
            .getHandle(id)
            .describe()
            .catch(() => undefined),
        ),
      );
      const pending = found.flatMap((one) => one?.raw.pendingActivities ?? []);
      const types = pending.map(({ lastFailure }) => lastFailure?.applicationFailureInfo?.type);
      expect(types).toContain(failureTypes.unavailable);
    },
    { timeout: 40_000, interval: 200 },
  );
};

describe('REL-7 a server is gone for a while, with a release in each phase', () => {
  it.each(['stopServer', 'killServer'] as const)('PostgreSQL, by %s', { timeout: 120_000 }, async (how) => {
    const requests = await heldEverywhere();
    await stack[how]('postgres');
    at.around.faults.off();
    await Promise.all(requests.map(failing));
    await stack.startServer('postgres');
    await expectReleased(requests);
  });

  it('Temporal, by SIGKILL', { timeout: 120_000 }, async () => {
    const requests = await heldEverywhere();
    await stack.killServer('temporal');
    // They have done what they do, and there is nobody to tell.
    at.around.faults.off();
    await vi.waitFor(async () => expect((await world.state('dev')).status).toBe('good'), 20_000);
    await stack.startServer('temporal');
    await expectReleased(requests);
  });
});
