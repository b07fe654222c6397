import { defineSearchAttributeKey } from '@temporalio/common';
import { proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import type { Activities } from './activities.ts';
import type { Turn, TurnInput } from './turn.ts';

const { reconcileNow } = proxyActivities<Activities>({
  // How long a dead worker goes unnoticed, however long the look itself takes.
  heartbeatTimeout: '1 minute',
  startToCloseTimeout: '45 minutes',
  // For five minutes, if a store is down. Then the turn has failed, for people to see, and the next one has its try.
  retry: { initialInterval: '5 seconds', maximumInterval: '1 minute', maximumAttempts: 8 },
});

const statusAttribute = defineSearchAttributeKey('Status', 'KEYWORD');

/** One turn of an app's reconciler, for a schedule. Its result, and its status in lists, say whether a person has to look. */
export async function reconcile(input: TurnInput): Promise<Turn> {
  const turn = await reconcileNow(input);
  if (turn.needAttention.count > 0) upsertSearchAttributes([{ key: statusAttribute, value: 'needs-attention' }]);
  return turn;
}
