import { expectSame, type Scenario, type Session, say, until } from '@repo/dev-stack';
import { environments, failureTypes } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { approve, createOrFind, endOf, reject, releaseState } from '../releases.ts';
import { ask, canAsk } from './asking.ts';
import {
  approved,
  approver,
  aRelease,
  expectAllServed,
  expectServed,
  expectStatus,
  refusedWith,
  releaseBeforeOurEyes,
  requester,
  showServed,
  waitsForApproval,
  whatIsServed,
  whatWasThere,
} from './before-our-eyes.ts';

/** Nothing is broken; a person decides. */
export const approvalScenarios: Scenario<Demo>[] = [
  {
    name: 'release',
    title: 'Two deployables to dev, test, qc and prod, once somebody approves',
    promises: 'all four environments serve exactly what was approved, or, if it is rejected, exactly what they had.',
    async run(demo, session) {
      const { client } = demo;
      const before = await whatIsServed(demo);
      const request = await aRelease(session, demo);
      const { release } = request;
      const ending = await releaseBeforeOurEyes(
        session,
        demo,
        request,
        async ({ announce }, document) => {
          expectSame('what is served before anybody has approved', before, await whatIsServed(demo));
          await announce(`built and documented; digest of the document: ${document}`);
          await decide(session, demo, release, document);
          return endOf(client, release);
        },
        environments,
      );
      if (ending.status === 'rejected') {
        say(session, 'you have rejected it: nothing was deployed');
        return expectSame('what is served', before, await whatIsServed(demo));
      }
      expectStatus(ending, 'released');
      await expectAllServed(demo, release);
      for (const { environment, set } of ending.summary.environments) {
        expectSame(
          `digests at ${environment}`,
          set,
          (await demo.services.environments.of(environment).state(session.signal)).set,
        );
      }
      expectSame('the same, created again', ending, await createOrFind(client, request, requester));
      await showServed(session, demo);
    },
  },
  {
    name: 'rejected',
    title: 'Carol reads what would be released, and rejects it',
    promises: 'no environment is touched, and it cannot be approved any more.',
    async run(demo, session) {
      const { client } = demo;
      const before = await whatIsServed(demo);
      const request = await aRelease(session, demo);
      const { release } = request;
      const ending = await releaseBeforeOurEyes(session, demo, request, async ({ announce }, document) => {
        const other = await refusedWith(approve(client, release, { by: approver, document: '0'.repeat(64) }));
        expectSame('what an approval of another document is refused with', failureTypes.documentMismatch, other.type);
        await announce(`an approval of another document is refused: ${other.message}`);
        await announce(`release reject ${release} --by ${approver} --document ${document}`);
        await reject(client, release, { by: approver, document });
        return endOf(client, release);
      });
      expectStatus(ending, 'rejected');
      const late = await refusedWith(approve(client, release, { by: 'dave' }));
      expectSame('what a late approval is refused with', failureTypes.notWaiting, late.type);
      session.print('');
      say(session, `dave approves it too late: ${late.message}`);
      expectSame('what is served', before, await whatIsServed(demo));
    },
  },
  {
    name: 'superseded',
    title: 'An older release is approved after a newer one has been deployed',
    promises: 'it does not overwrite the newer one: it stops at the first environment.',
    async run(demo, session) {
      await whatWasThere(session, demo);
      const older = await aRelease(session, demo, ['dev', 'test']);
      const newer = await releaseBeforeOurEyes(
        session,
        demo,
        older,
        async ({ announce }) => {
          await announce(`${older.release} waits, and waits`);
          const next = await aRelease(session, demo, ['dev']);
          await waitsForApproval(demo, next);
          expectStatus(await approved(demo, next), 'released');
          await announce(`${next.release} began later, and dev serves it; now ${older.release} is approved`);
          expectStatus(await approved(demo, older), 'superseded');
          return next;
        },
        ['dev'],
      );
      await expectServed(demo, { dev: newer.release });
      expectSame('how far the older one is', ['superseded', 'pending'], await statusOf(demo, older.release));
    },
  },
];

const statusOf = async ({ client }: Demo, release: string) =>
  (await releaseState(client, release)).environments.map(({ status }) => status);

/** Shows what is to be approved, and asks in the terminal; where nobody can be asked, the scenario approves by itself. */
async function decide(session: Session, { client }: Demo, release: string, document: string): Promise<void> {
  const state = await releaseState(client, release);
  session.print('');
  for (const line of state.document?.markdown.trimEnd().split('\n') ?? []) session.print(`  ${line}`);
  session.print('');
  const command = `TASK_QUEUE=${session.taskQueue} pnpm --filter release-orchestrator release approve ${release} --by you`;
  if (canAsk()) session.print(`  Here, or in another terminal: ${command}`);
  const decided = until('a decision', async () => (await releaseState(client, release)).approval?.decision);
  decided.catch(() => {});
  const answer = await ask(session, '  Approve it? [y/n]', decided);
  if ((await releaseState(client, release)).approval?.decision !== undefined) return;
  if (!answer) say(session, `nobody is asked, or nobody answers: the scenario approves it, as ${approver}`);
  const decision = { by: answer?.by ?? approver, document };
  // Somebody may have been faster in another terminal.
  await (answer?.approves === false ? reject : approve)(client, release, decision).catch(async (error: unknown) => {
    if ((await releaseState(client, release)).approval?.decision === undefined) throw error;
  });
}
