import { LedgerError } from '@repo/ledger';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { InvalidInputError, refusalIn } from '@repo/worker-kit';

/** The ledger's no is an answer as well: one sentence, or JSON, and exit code 1. */

/** @returns undefined if the ledger has refused, which is said then. @throws InvalidInputError if a field was wrong */
export async function refusable<Answer>(
  json: boolean | undefined,
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    const { type, message, details } = (error instanceof LedgerError ? error : await byWorkflow(error)) ?? {};
    if (type === undefined || message === undefined) throw error;
    if (type === ledgerFailureTypes.invalidRequest) {
      const field = typeof details?.field === 'string' ? details.field : 'input';
      throw new InvalidInputError([{ field, message: message.replace(`${field}: `, '') }]);
    }
    refuse(json, type, message);
    return undefined;
  }
}

/** Says that something was refused. */
export function refuse(json: boolean | undefined, type: string, message: string): void {
  process.exitCode = 1;
  if (json) console.log(JSON.stringify({ status: 'refused', reason: { type, message } }));
  else console.error(`Refused: ${message}.`);
}

/** What the ledger has told a workflow, and that one whoever asked it. */
async function byWorkflow(error: unknown) {
  const refusal = await refusalIn(error);
  const isLedgers = Object.values<string>(ledgerFailureTypes).includes(String(refusal?.type));
  return isLedgers ? { type: String(refusal?.type), message: refusal?.message, details: undefined } : undefined;
}
