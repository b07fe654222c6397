import { createCutter } from '@repo/testing/cutter';
import { afterAll, describe, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { cancelSignal, environmentWorkflowId, failureTypes, type ReleaseInput } from '../src/contract.ts';
import { createServices, servicesConfig } from '../src/services.ts';
import { realServer } from './real-server.ts';

const at = await realServer('release-lost-reply', { hosts: ['dev'] });
const { world } = at;
await at.stopWorker();
const cutter = await createCutter(world.env.DATABASE_URL ?? '');
const services = createServices(servicesConfig.parse({ ...world.env, DATABASE_URL: cutter.url }));
// Its records are behind the cutter.
await at.startWorker(createActivities(services));
afterAll(async () => {
  await at.stopWorker();
  await services.close();
  cutter.close();
});

/** What has failed and was tried again, according to Temporal. */
async function failures({ release }: ReleaseInput): Promise<string[]> {
  const ids = [at.handleOf({ release }).workflowId, environmentWorkflowId(release, 'dev')];
  const histories = await Promise.all(ids.map((id) => at.client.workflow.getHandle(id).fetchHistory()));
  return histories.flatMap(({ events }) => {
    const names = new Map(
      events?.map((event) => [
        String(event.eventId),
        event.activityTaskScheduledEventAttributes?.activityType?.name ?? '',
      ]),
    );
    return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) => {
      const { applicationFailureInfo, message } = started?.lastFailure ?? {};
      const type = applicationFailureInfo?.type ?? message;
      return type ? [`${names.get(String(started?.scheduledEventId))}: ${type}`] : [];
    });
  });
}

describe('a reply that is lost after PostgreSQL has written', () => {
  it.each([
    ['a generation was issued, and whoever asked does not know it', 'claim', 'COMMIT', 'released'],
    ['it was found good', 'markGood', 'UPDATE deployments', 'released'],
    ['it is rolled back: no generation any more', 'rollBack', 'COMMIT', 'cancelled'],
    ['it is rolled back: that is written', 'rollBack', 'UPDATE deployments', 'cancelled'],
    ['it was approved', 'decide', 'SET approval', 'released'],
    ['it has ended', 'endRelease', 'ended_at = ', 'released'],
  ] as const)('%s', async (_, activity, word, status) => {
    const { generation } = await world.state('dev');
    const request = await world.aRelease({ environments: ['dev'], deployables: [await world.deployable()] });
    // COMMIT is said by others too: its moment has to be waited for.
    const isEverywhere = word === 'COMMIT';
    if (isEverywhere) at.around.faults.on({ point: 'before-transaction', of: activity, calls: 1, effect: 'hang' });
    else cutter.cutNext(word, 'after');
    if (status === 'cancelled') at.around.faults.on({ point: 'before-transaction', of: 'verify' });
    await at.approved(request);
    if (status === 'cancelled') {
      await at.met('before-transaction of verify');
      await at.handleOf(request).signal(cancelSignal, { by: 'Ada' });
    }
    if (isEverywhere) {
      await at.met(`before-transaction of ${activity}`);
      cutter.cutNext(word, 'after');
    }
    at.around.faults.off();
    expect(await at.endOf(request)).toMatchObject({ status });
    expect(await failures(request)).toContain(`${activity}: ${failureTypes.unavailable}`);
    const switched = status === 'released' ? 'dev good' : 'dev rolled-back';
    expect(await world.switches(`release:${request.release}:`)).toEqual([switched]);
    // One generation, however often it was asked for.
    expect(await world.state('dev')).toMatchObject({ generation: generation + 1 });
    expect(await world.records.release(request.release)).toMatchObject({ status, approval: { by: 'Bob' } });
  });
});
