import { mended } from '@repo/dev-stack';
import { changeScenarios } from './scenarios/changes.ts';
import { driftScenario } from './scenarios/drift.ts';
import { lateWriteScenario } from './scenarios/late-write.ts';
import { serverScenarios } from './scenarios/servers.ts';
import { workerScenarios } from './scenarios/workers.ts';

/** Each breaks something real, or nothing, and asserts its promised ending where it counts: in both stores. */
export const scenarios = [
  ...changeScenarios,
  ...serverScenarios,
  ...workerScenarios,
  lateWriteScenario,
  driftScenario,
].map(mended);
