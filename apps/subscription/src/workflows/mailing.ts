import { notificationFailureTypes } from '@repo/notifications/failure-types';
import { condition } from '@temporalio/workflow';
import { limits } from '../contract.ts';
import type { Life } from './life.ts';
import { activities, refusalIn } from './services.ts';

/**
 * Sends what is in the outbox, in order, for as long as the workflow runs. One that only fails is tried until it is out; one
 * that is refused for good is kept for people to see. Neither holds up anything else.
 */
export async function sendMails(life: Life): Promise<never> {
  for (;;) {
    await condition(() => life.outbox.length > 0);
    const [mail] = life.outbox;
    if (!mail) continue;
    const { kind, at } = mail;
    try {
      await activities.notify.executeWithOptions({ summary: `E-mail: ${kind}` }, [mail]);
    } catch (error) {
      const { type, message } = refusalIn(error);
      // Of a run before a reset, in other words: the customer has it.
      if (type !== notificationFailureTypes.mismatch) {
        life.undelivered = [...life.undelivered, { mail: kind, at, type, message }].slice(-limits.undelivered);
      }
    }
    life.outbox.shift();
  }
}
