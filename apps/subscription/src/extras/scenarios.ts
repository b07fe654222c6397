import { mended } from '@repo/dev-stack';
import { awayScenarios } from './scenarios/away.ts';
import { cancellingScenarios } from './scenarios/cancelling.ts';
import { declinedCardScenario } from './scenarios/declined-card.ts';
import { subscribingScenarios } from './scenarios/subscribing.ts';
import { terminatedScenario } from './scenarios/terminated.ts';

/** Each breaks something real, or nothing, and asserts its promised ending where it counts: in the ledger and the inbox. */
export const scenarios = [
  ...subscribingScenarios,
  ...cancellingScenarios,
  declinedCardScenario,
  ...awayScenarios,
  terminatedScenario,
].map(mended);
