import { mended } from '@repo/dev-stack';
import { approvalScenarios } from './scenarios/approvals.ts';
import { refusalScenarios } from './scenarios/refusals.ts';
import { sendScenario } from './scenarios/send.ts';
import { terminatedScenario } from './scenarios/terminated.ts';
import { unansweredScenarios } from './scenarios/unanswered.ts';

/** Each breaks something real, or nothing, and asserts its promised ending where it counts: in the ledger. */
export const scenarios = [
  sendScenario,
  ...refusalScenarios,
  ...approvalScenarios,
  ...unansweredScenarios,
  terminatedScenario,
].map(mended);
