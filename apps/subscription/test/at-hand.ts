import { temporalAddress } from '@repo/testing';
import type { SubscriptionInput } from '../src/contract.ts';
import { subscribeOrFind } from '../src/extras/subscriptions.ts';
import { realServer } from './real-server.ts';

/**
 * What the commands find when they run: `realServer`, and where it is in the environment. To be called where the file itself
 * runs.
 */
export async function atHand(taskQueue: string) {
  const at = await realServer(taskQueue);
  const { world, client } = at;
  const until = (subscriptionId: string, isSo: Parameters<typeof at.until>[1]) =>
    at.until({ subscriptionId, customer: 'any', plan: 'any' }, isSo);
  Object.assign(process.env, world.env, { TEMPORAL_ADDRESS: temporalAddress() });
  return {
    ...at,
    until,
    /** A subscription that has paid for its first period. */
    async paid(changes: Parameters<typeof world.aSubscription>[0] = {}): Promise<SubscriptionInput> {
      const request = await world.aSubscription(changes);
      await subscribeOrFind(client, request, 'ada');
      await until(request.subscriptionId, ({ periodsPaid }) => periodsPaid === 1);
      return request;
    },
  };
}
