import type { Scenario } from '@repo/dev-stack';
import type { Demo } from './demo.ts';
import { serverScenarios } from './scenarios/servers.ts';
import { serviceScenarios } from './scenarios/services.ts';
import { terminatedScenario } from './scenarios/terminated.ts';
import { workerScenarios } from './scenarios/workers.ts';

/** Shorter than the five minutes after which the menu is back: what was broken is mended before that. */
const timeLimitMs = 240_000;

/** Whatever happens, the next scenario finds everything as it was. */
const mended = (scenario: Scenario<Demo>): Scenario<Demo> => ({
  ...scenario,
  async run(demo, session) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not at an end after ${timeLimitMs / 1000} s`)), timeLimitMs);
    });
    try {
      await Promise.race([scenario.run(demo, session), late]);
    } catch (error) {
      // What went wrong first is what has to be told.
      await demo.mend().catch((reason: Error) => session.print(`  ${reason.message}`));
      throw error;
    } finally {
      clearTimeout(timer);
    }
    await demo.mend();
  },
});

/** Each breaks something real, or nothing, and asserts its promised ending where it counts: in the services' databases. */
export const scenarios = [...serviceScenarios, ...workerScenarios, ...serverScenarios, terminatedScenario].map(mended);
