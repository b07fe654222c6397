import type { Client } from '@temporalio/client';
import { expect } from 'vitest';
import { legKey, type TransferRequest } from '../src/contract.ts';
import { type Finding, reconcile } from '../src/extras/reconcile.ts';
import type { World } from './world.ts';

/** What tests of the reconciler have in common; `taskQueue` is the one that the file's worker serves. */
export const reconciling = (world: World, client: Client, taskQueue: string) => ({
  /** What the reconciler says of this transfer: others of the file may rest as well. */
  async reconciled({ reference }: { reference: string }, { graceMs = 0, dryRun = false } = {}): Promise<string[]> {
    const found: Finding[] = [];
    for await (const one of reconcile({ client, ledger: world.ledger, graceMs, dryRun })) found.push(one);
    return found.flatMap((one) =>
      'reference' in one && one.reference === reference ? [`${one.action}: ${one.why}`] : [],
    );
  },

  /** What it says of one that is open and quiet. */
  notGettingOn: ({ reference }: TransferRequest, queue = taskQueue) =>
    expect.stringMatching(
      new RegExp(`^needs attention: open, but not getting on: .* task queue ${queue}\\? .* status ${reference}$`),
    ),

  /** As the transfer's workflow does it. */
  withdrawnByHand(request: TransferRequest) {
    const { reference, from: account, to: target, amount, currency, requestedBy, approvalWithin } = request;
    const details = { to: target, requestedBy, approvalWithin };
    const [key, at] = [legKey.withdraw(reference), new Date().toISOString()];
    return world.ledger.withdraw({ key, at, reference, account, target, amount, currency, details });
  },
});

export const givenBack = (how: string): string[] => [`given back: its workflow is ${how}`];
