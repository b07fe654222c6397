import type { Client } from '@temporalio/client';
import { vi } from 'vitest';
import {
  approveUpdate,
  type Decision,
  type ReleaseEnding,
  type ReleaseInput,
  type RollbackRequest,
  releaseWorkflowId,
  rollbackWorkflowId,
  stateQuery,
} from '../src/contract.ts';
import type { release, rollback } from '../src/workflows.ts';

/** What tests do with releases, on whatever server. */
export function talk(client: Client, taskQueue: string) {
  const handleOf = ({ release: name }: Pick<ReleaseInput, 'release'>) =>
    client.workflow.getHandle<typeof release>(releaseWorkflowId(name));
  const start = (request: ReleaseInput) =>
    client.workflow.start<typeof release>('release', {
      workflowId: releaseWorkflowId(request.release),
      taskQueue,
      args: [request],
      workflowTaskTimeout: '2 seconds',
    });
  const stateOf = (request: ReleaseInput) => handleOf(request).query(stateQuery);
  /** Resolves when the release waits for its approval. */
  const documented = (request: ReleaseInput, timeout = 60_000) =>
    vi.waitFor(
      async () => {
        const { status, document } = await stateOf(request);
        if (status !== 'waiting-for-approval' || !document) throw new Error(`it is ${status}`);
        return document;
      },
      { timeout, interval: 100 },
    );
  const approve = (request: ReleaseInput, decision: Decision = { by: 'Bob' }) =>
    handleOf(request).executeUpdate(approveUpdate, { args: [decision] });
  return {
    handleOf,
    start,
    stateOf,
    documented,
    approve,
    /** Resolves as soon as it is approved. */
    async approved(request: ReleaseInput) {
      const handle = await start(request);
      await documented(request);
      await approve(request);
      return handle;
    },
    /** Approves it as soon as a worker is there that hears it; somebody else may have been heard. */
    approvedAsSoonAsPossible: (request: ReleaseInput, timeout = 90_000) =>
      vi.waitFor(
        async () => {
          const { status, approval } = await stateOf(request);
          if (approval?.decision) return;
          if (status !== 'waiting-for-approval') throw new Error(`it is ${status}`);
          await approve(request);
        },
        { timeout, interval: 200 },
      ),
    endOf: (request: ReleaseInput): Promise<ReleaseEnding> => handleOf(request).result(),
    /** From the start to the end, with an approval. */
    async released(request: ReleaseInput): Promise<ReleaseEnding> {
      const handle = await start(request);
      await documented(request);
      await approve(request);
      return handle.result();
    },
    rollBack: (request: RollbackRequest) =>
      client.workflow.execute<typeof rollback>('rollback', {
        workflowId: rollbackWorkflowId(request),
        taskQueue,
        args: [request],
      }),
  };
}
