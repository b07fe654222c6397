import { mended } from '@repo/dev-stack';
import { serverScenarios } from './scenarios/servers.ts';
import { serviceScenarios } from './scenarios/services.ts';
import { terminatedScenario } from './scenarios/terminated.ts';
import { upgradeScenario } from './scenarios/upgrade.ts';
import { workerScenarios } from './scenarios/workers.ts';

/** Each breaks something real, or nothing, and asserts its promised ending where it counts: in the services' databases. */
export const scenarios = [
  ...serviceScenarios,
  ...workerScenarios,
  upgradeScenario,
  ...serverScenarios,
  terminatedScenario,
].map(mended);
