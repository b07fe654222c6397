import { expectSame, type Scenario, say, until } from '@repo/dev-stack';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { transferWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { whereIs } from '../invariants.ts';
import { type Finding, reconcile } from '../reconcile.ts';
import { findingInWords } from '../transfer-words.ts';
import { aRequest, depositIsHeld, expectInTheLedger, letItGo, said, transferBeforeOurEyes } from './before-our-eyes.ts';

/** A workflow that is ended from outside, and does not get to give anything back. */
export const terminatedScenario: Scenario<Demo> = {
  name: 'terminated',
  title: 'The workflow is terminated between withdrawal and deposit: the reconciler gives the money back',
  promises: 'alice has her money back; a deposit that comes late is refused; the second time there is nothing to do.',
  async run(demo, session) {
    const { client, ledger } = demo;
    const request = await aRequest(session, demo, 1_250);
    const { reference } = request;
    // Others may be at work in this ledger: their money is theirs, the books are everybody's.
    const turn = async (dryRun = false) => {
      const found: Finding[] = [];
      for await (const one of reconcile({ client, ledger, graceMs: 0, dryRun })) {
        if ('books' in one || one.reference === reference) found.push(one);
      }
      return found;
    };
    const worker = await demo.startFaultyWorker('held-deposit');
    await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
      await depositIsHeld(demo, worker, request);
      await turn();
      expectSame('where the money is while the workflow runs', 'suspense', await whereIs(ledger, reference));
      await announce('withdrawn; now the workflow is terminated, and runs no code any more');
      await client.workflow.getHandle(transferWorkflowId(reference)).terminate('a scenario');
      await sent.catch(() => {});
      await expectInTheLedger(demo, request, { money: 'suspense', from: [8_750, 'pay-in', 'withdrawal'], to: [0] });
      const found = await turn();
      expectSame(
        'what the reconciler did',
        ['given back'],
        found.map(({ action }) => action),
      );
      await announce(`transfer reconcile --grace 0s: ${found.map(findingInWords).join()}`);
      letItGo(worker);
      const refused = await until('the end of the late deposit', async () => said(worker, 'refused'));
      expectSame('what it is refused with', ledgerFailureTypes.nothingInSuspense, (refused as { type?: string }).type);
      await announce('the deposit that was on its way arrives: refused, for nothing rests in suspense any more');
    });
    expectSame('what the reconciler found the second time', [], await turn());
    say(session, 'transfer reconcile --grace 0s, once more: nothing to do');
    await expectInTheLedger(demo, request, {
      money: 'given back',
      from: [10_000, 'pay-in', 'withdrawal', 'refund'],
      to: [0],
    });
  },
};
