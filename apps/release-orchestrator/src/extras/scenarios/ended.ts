import { expectSame, type Scenario, say, until } from '@repo/dev-stack';
import { environmentWorkflowId, releaseWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { findingInWords } from '../environment-words.ts';
import { type Finding, reconcile } from '../reconcile.ts';
import { approve } from '../releases.ts';
import { approver, aRelease, expectServed, releaseBeforeOurEyes, whatWasThere } from './before-our-eyes.ts';

/** Workflows that are ended from outside, and do not get to clean up anything. */
export const endedScenarios: Scenario<Demo>[] = [
  {
    name: 'terminated',
    title: 'The release and its children are terminated while qc is being switched',
    promises: 'the reconciler brings qc back to what it had; the second time there is nothing to do.',
    async run(demo, session) {
      const { client, hosts, services } = demo;
      const { records, environments } = services;
      const before = await whatWasThere(session, demo);
      const request = await aRelease(session, demo);
      const { release } = request;
      const turn = async () => {
        const found: Finding[] = [];
        for await (const one of reconcile({ client, records, environments, graceMs: 0 })) found.push(one);
        return found;
      };
      demo.mendLater(() => hosts.setFaults('qc', { holdActivations: false }));
      await releaseBeforeOurEyes(
        session,
        demo,
        request,
        async ({ announce }) => {
          await hosts.setFaults('qc', { holdActivations: true });
          await approve(client, release, { by: approver });
          await until('the switch of qc on its way', async () => (await hosts.held('qc')) || undefined);
          const qc = environmentWorkflowId(release, 'qc');
          // Told that its parent is gone, qc would go back by itself; but it waits for the answer to its switch first.
          for (const id of [releaseWorkflowId(release), qc])
            await client.workflow.getHandle(id).terminate('a scenario');
          await announce('the switch of qc is on its way; both workflows are terminated, and run no code any more');
          await hosts.setFaults('qc', { holdActivations: false });
          await until('the switch of qc', async () => {
            const { status } = await environments.of('qc').state(session.signal);
            return status === 'active' || undefined;
          });
          await announce(`qc serves ${release}, which nobody has verified, and nobody knows of it`);
          const found = await turn();
          expectSame(
            'what the reconciler did, for qc and for the release',
            ['rolled back', 'recorded'],
            found.map(({ action }) => action),
          );
          await announce(`release reconcile --grace 0s: ${found.map(findingInWords).join('; ')}`);
        },
        ['qc'],
      );
      expectSame('what the reconciler found the second time', [], await turn());
      say(session, 'release reconcile --grace 0s, once more: nothing to do');
      await expectServed(demo, { dev: release, test: release, qc: before, prod: before });
    },
  },
];
