import { activityOf, attemptsOf, expectSame, type Scenario, say } from '@repo/dev-stack';
import { postWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { changeBeforeOurEyes, expectPost, expectStatus, show, whoMayEdit, writeIsHeld } from './before-our-eyes.ts';

const users = ['alice', 'bob'];

/** A worker that dies between the two stores, or that does not hear what it has done. */
export const workerScenarios: Scenario<Demo>[] = [
  {
    name: 'worker-crash',
    title: 'The worker is killed between the two writes',
    promises: 'nobody sees the post meanwhile; another worker finishes it, and both stores have it once.',
    async run(demo, session) {
      const post = session.newId('post');
      const worker = await demo.startFaultyWorker('held-write');
      say(session, 'the only worker has a slow line to SpiceDB');
      const outcome = await changeBeforeOurEyes(
        session,
        demo,
        'writePost',
        { post, author: 'bob' },
        async ({ announce }) => {
          await writeIsHeld(worker);
          await demo.killWorker(worker);
          await announce(
            `process ${worker.pid} has written the row, and is killed with SIGKILL before the relationship`,
          );
          const both = await demo.stores.both(post);
          expectSame('status of the row', 'pending', both?.row?.status);
          expectSame('authors in SpiceDB', [], both?.authors);
          expectSame('who may edit it', [], await whoMayEdit(demo, post, users));
          await announce('the row is pending, SpiceDB has nothing: bob may not edit it, nor anybody else');
          const heir = await demo.startWorker();
          await announce(`${heir.name} (process ${heir.pid}) is there; the dead one's attempt is given up after 5 s`);
        },
      );
      await show(session, demo, post, ['bob', 'alice']);
      expectStatus(outcome, 'written');
      await expectPost(demo, post, { author: 'bob', generation: 1 }, users);
    },
  },
  {
    name: 'lost-reply',
    title: 'The replies of both stores are lost, after everything was written',
    promises: 'each step is done twice, and written once: one row, one relationship, generation 1.',
    async run(demo, session) {
      const post = session.newId('post');
      await demo.startFaultyWorker('lost-replies');
      say(session, 'the only worker loses the first reply of each step that writes');
      const outcome = await changeBeforeOurEyes(
        session,
        demo,
        'writePost',
        { post, author: 'bob' },
        async ({ announce }) => {
          await activityOf(demo.client, postWorkflowId(post), 'settle', 2);
          await announce("PostgreSQL's COMMIT has opened the post, and the workflow does not know: it asks again");
        },
      );
      await show(session, demo, post, ['bob', 'alice']);
      expectStatus(outcome, 'written');
      for (const step of ['begin', 'apply', 'settle']) {
        expectSame(`attempts of ${step}`, 2, await attemptsOf(demo.client, postWorkflowId(post), step));
      }
      await expectPost(demo, post, { author: 'bob', generation: 1 }, users);
    },
  },
];
