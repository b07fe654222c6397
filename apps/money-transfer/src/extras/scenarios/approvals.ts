import { expectSame, type Scenario, say, until } from '@repo/dev-stack';
import { failureTypes, transferWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { approve } from '../transfers.ts';
import {
  aRequest,
  expectInTheLedger,
  expectStatus,
  refusedWith,
  requester,
  transferBeforeOurEyes,
} from './before-our-eyes.ts';

/** More than may be sent without somebody else's word. */
const much = 1_250_000;
const rich = 2_000_000;

export const approvalScenarios: Scenario<Demo>[] = [
  {
    name: 'approval',
    title: 'Alice sends 12500.00 EUR, which somebody else has to approve',
    promises: 'the money waits in suspense; the requester may not approve it, carol may, and bob has it.',
    async run(demo, session) {
      const { client } = demo;
      const request = await aRequest(session, demo, much, rich);
      const { reference } = request;
      const approved = await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
        const { until } = expectStatus(await sent, 'waiting-for-approval');
        await expectInTheLedger(demo, request, { money: 'suspense', from: [750_000, 'pay-in', 'withdrawal'], to: [0] });
        await announce(`the money is withdrawn, and waits until ${until}; ${requester} tries to approve it`);
        const own = await refusedWith(approve(client, reference, { by: ` ${requester.toUpperCase()} ` }));
        expectSame('what that is refused with', failureTypes.ownTransfer, own.type);
        await announce(`refused: ${own.message}. Now carol approves`);
        return approve(client, reference, { by: 'carol' });
      });
      expectStatus(approved, 'completed');
      const late = await refusedWith(approve(client, reference, { by: 'dave' }));
      expectSame('what a second approval is refused with', failureTypes.notWaiting, late.type);
      await expectInTheLedger(demo, request, {
        money: 'target',
        from: [750_000, 'pay-in', 'withdrawal'],
        to: [much, 'deposit'],
      });
    },
  },
  {
    name: 'approval-expired',
    title: 'Nobody approves 12500.00 EUR within two seconds',
    promises: 'it is not approved any more, and alice has her money back.',
    async run(demo, session) {
      const { client } = demo;
      const request = { ...(await aRequest(session, demo, much, rich)), approvalWithin: 2 };
      const { reference } = request;
      const ended = await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
        expectStatus(await sent, 'waiting-for-approval');
        await announce('the money is withdrawn, and nobody comes');
        const handle = client.workflow.getHandle(transferWorkflowId(reference));
        return until('the end of the transfer', () => handle.result());
      });
      expectStatus(ended, 'expired');
      const late = await refusedWith(approve(client, reference, { by: 'carol' }));
      expectSame('what a late approval is refused with', failureTypes.notWaiting, late.type);
      session.print('');
      say(session, `carol comes too late: ${late.message}`);
      await expectInTheLedger(demo, request, {
        money: 'given back',
        from: [rich, 'pay-in', 'withdrawal', 'refund'],
        to: [0],
      });
    },
  },
];
