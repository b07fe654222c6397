import { expectSame, type Scenario, say } from '@repo/dev-stack';
import { failureTypes } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { sendOrFind } from '../transfers.ts';
import {
  aRequest,
  expectInTheLedger,
  expectStatus,
  refusedWith,
  requester,
  transferBeforeOurEyes,
} from './before-our-eyes.ts';

export const sendScenario: Scenario<Demo> = {
  name: 'send',
  title: 'Alice sends bob 12.50 EUR',
  promises: 'the money has left one account and reached the other, once; sent again, nothing is moved.',
  async run(demo, session) {
    const request = await aRequest(session, demo, 1_250);
    const outcome = await transferBeforeOurEyes(session, demo, request);
    expectStatus(outcome, 'completed');
    expectSame('outcome of the same, sent again', outcome, await sendOrFind(demo.client, request, requester));
    const other = await refusedWith(sendOrFind(demo.client, { ...request, amount: 9_900 }, requester));
    expectSame('what another amount is refused with', failureTypes.transferMismatch, other.type);
    session.print('');
    say(session, 'the same reference again: the same answer, and nothing is moved');
    say(session, `the same reference with 99.00 EUR: refused, ${other.message}`);
    await expectInTheLedger(demo, request, {
      money: 'target',
      from: [8_750, 'pay-in', 'withdrawal'],
      to: [1_250, 'deposit'],
    });
  },
};
