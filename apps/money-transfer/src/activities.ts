import { createLedgerActivities } from '@repo/ledger';
import type { Services } from './services.ts';

/**
 * The only place where this app touches the world: three of the ledger's activities. Each may run more than once; the key
 * makes the second time harmless. What they fail of for good is the ledger's no, and anything else is no answer.
 */
export function createActivities({ ledger }: Services) {
  const { withdraw, deposit, refund } = createLedgerActivities(ledger);
  return { withdraw, deposit, refund };
}

export type Activities = ReturnType<typeof createActivities>;
