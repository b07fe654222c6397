import { activityOf, expectSame, type Scenario, say, until } from '@repo/dev-stack';
import { type Environment, environmentWorkflowId, type ReleaseInput } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { approve, endOf } from '../releases.ts';
import {
  approver,
  aRelease,
  expectAllServed,
  expectServed,
  expectStatus,
  releaseBeforeOurEyes,
  waitsForApproval,
  whatWasThere,
} from './before-our-eyes.ts';

/** A worker that dies, or that has a bug. */
export const workerScenarios: Scenario<Demo>[] = [
  {
    name: 'crash',
    title: 'The worker is killed in the middle of a deployment: another one goes on where it was',
    promises: 'all four environments serve the release, and each was switched once, under one generation.',
    async run(demo, session) {
      const { client, hosts, services } = demo;
      await whatWasThere(session, demo);
      const request = await aRelease(session, demo);
      const { release } = request;
      demo.mendLater(() => hosts.setFaults('test', { holdActivations: false }));
      const ending = await releaseBeforeOurEyes(
        session,
        demo,
        request,
        async ({ announce }) => {
          await hosts.setFaults('test', { holdActivations: true });
          await approve(client, release, { by: approver });
          await until('the switch of test on its way', async () => (await hosts.held('test')) || undefined);
          const [worker] = demo.workers;
          if (!worker) throw new Error('There is no worker.');
          await demo.killWorker(worker);
          await announce(`dev serves it, test is being switched: process ${worker.pid}, the only worker, gets SIGKILL`);
          await hosts.setFaults('test', { holdActivations: false });
          const heir = await demo.startWorker();
          await announce(`${heir.name} (process ${heir.pid}) is there; what the dead one was at is asked for again`);
          return endOf(client, release);
        },
        ['test'],
      );
      expectStatus(ending, 'released');
      await expectAllServed(demo, release);
      for (const { environment, generation } of ending.summary.environments) {
        const all = await services.records.deployments({ environment });
        const own = all.filter((one) => one.release === release).map((one) => one.generation);
        expectSame(`generations of ${release} at ${environment}`, [generation], own);
      }
    },
  },
  {
    name: 'bug-fix',
    title: 'A worker with a bug: three releases wait, and go on with the worker that has the fix',
    promises: 'all three are released, none has failed, and nobody had to start one again.',
    async run(demo, session) {
      const { client } = demo;
      await demo.startBuggyWorker();
      const requests: ReleaseInput[] = [];
      // One after the other: each builds the page as it is then.
      for (const to of [['qc', 'prod'], ['test']] as const) {
        const request = await aRelease(session, demo, to);
        await waitsForApproval(demo, request);
        requests.push(request);
      }
      say(session, `the worker has a bug; two more releases: ${requests.map(({ release }) => release).join(', ')}`);
      const shown = await aRelease(session, demo, ['dev']);
      requests.push(shown);
      const endings = await releaseBeforeOurEyes(
        session,
        demo,
        shown,
        async ({ announce }) => {
          for (const { release } of requests) await approve(client, release, { by: approver });
          await Promise.all(
            requests.map(({ release, environments: [to] }) =>
              activityOf(client, environmentWorkflowId(release, to as Environment), 'verify', 3),
            ),
          );
          await demo.stopWorkers();
          await announce('all three have been switched, and cannot be verified; the worker is stopped');
          const fixed = await demo.startWorker();
          await announce(`${fixed.name} has the fix; nothing else is done`);
          return Promise.all(requests.map(({ release }) => endOf(client, release)));
        },
        ['dev'],
      );
      for (const ending of endings) expectStatus(ending, 'released');
      const [qc, test, dev] = requests.map(({ release }) => release);
      await expectServed(demo, { dev, test, qc, prod: qc });
    },
  },
];
