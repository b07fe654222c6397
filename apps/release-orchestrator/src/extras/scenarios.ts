import { mended } from '@repo/dev-stack';
import { approvalScenarios } from './scenarios/approvals.ts';
import { deployScenarios } from './scenarios/deploys.ts';
import { endedScenarios } from './scenarios/ended.ts';
import { workerScenarios } from './scenarios/workers.ts';

/** Each breaks something real, or nothing, and asserts its promised ending where it counts: over HTTP, at each environment. */
export const scenarios = [...approvalScenarios, ...deployScenarios, ...workerScenarios, ...endedScenarios].map(mended);
