import { describeEveryActivity } from '@repo/testing';
import { expect, it } from 'vitest';
import { type Activities, createActivities } from '../src/activities.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('release-activities', { serve: false, hosts: ['dev'] });
const { world } = at;

/** Without which attempt it was that answered: that is the only thing in which two attempts may differ. */
const activities = Object.fromEntries(
  Object.entries(createActivities(world.services)).map(([name, run]) => [
    name,
    async (input: never) => {
      const answer = (await run(input)) as { attempts?: number } | undefined;
      return answer?.attempts === undefined ? answer : { ...answer, attempts: 1 };
    },
  ]),
);

/** A release that arrives, one that is rolled back because it is ill, and a rollback by command. */
async function everything() {
  const web = await world.deployable();
  const good = await at.released(await world.aRelease({ deployables: [web], environments: ['dev'] }));
  expect(good.status).toBe('released');
  const set = good.document?.json.environments[0]?.set ?? {};
  await world.expectServed('dev', set);
  const ill = [await world.deployable(web.name, ['dev'])];
  const worse = await world.aRelease({ deployables: ill, environments: ['dev'] });
  expect(await at.released(worse)).toMatchObject({ status: 'failed' });
  expect(await world.switches(`release:${worse.release}:`)).toEqual(['dev rolled-back']);
  await world.expectServed('dev', set);
  const { lastGood } = await world.state('dev');
  const back = { id: world.fresh('back'), environment: 'dev', to: lastGood?.generation, requestedBy: 'Ada' } as const;
  expect(await at.rollBack(back)).toMatchObject({ status: 'good' });
  await world.expectServed('dev', set);
}

describeEveryActivity<Activities>({
  activities: {
    ...{
      beginRelease: {},
      gatherSource: {},
      gatherConfig: {},
      build: {},
      keepDocument: {},
      decide: {},
      endRelease: {},
    },
    ...{
      planRollback: {},
      findBuild: {},
      gatherArtifact: {},
      gatherConfigOf: {},
      deployArtifact: {},
      updateConfig: {},
    },
    ...{ verifyInstalled: {}, verify: {}, rollBack: {} },
    claim: { undoneBy: 'rollBack' },
    activate: { undoneBy: 'rollBack' },
    markGood: { undoneBy: 'rollBack' },
  },
  createWorker: (activity) => at.createWorker({ activities, interceptors: { activity } }),
  run: everything,
  runUndone: async (forward) => {
    const web = await world.deployable();
    const request = await world.aRelease({ deployables: [web], environments: ['dev'] });
    const { set } = await world.state('dev');
    expect(await at.released(request)).toMatchObject({ status: 'failed' });
    expect((await world.state('dev')).set).toEqual(set);
    const left = forward === 'claim' ? [] : ['dev rolled-back'];
    expect(await world.switches(`release:${request.release}:`)).toEqual(left);
  },
});

it('ALL-2 with a replay at each step, all goes the same way', async () => {
  await (await at.createWorker({ maxCachedWorkflows: 0 })).runUntil(everything);
});
