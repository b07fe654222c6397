import { expectSame, type Scenario, say } from '@repo/dev-stack';
import type { Demo } from '../demo.ts';
import { changeBeforeOurEyes, expectPost, expectStatus, letItArrive, show, writeIsHeld } from './before-our-eyes.ts';

/** An attempt that Temporal has given up, and that is not over: the zombie and the fence. */
export const lateWriteScenario: Scenario<Demo> = {
  name: 'late-write',
  title: 'A slow old write arrives after the post was deleted',
  promises: 'SpiceDB refuses it for its fence: bob does not get back what was revoked.',
  async run(demo, session) {
    const post = session.newId('post');
    const worker = await demo.startFaultyWorker('held-write');
    say(session, 'the worker has a line to SpiceDB on which the first write gets stuck');
    const written = await changeBeforeOurEyes(
      session,
      demo,
      'writePost',
      { post, author: 'bob' },
      async ({ announce }, outcome) => {
        await writeIsHeld(worker);
        await announce('the write of the first attempt is on its way; after 5 s Temporal gives that attempt up');
        await outcome;
        await announce('the second attempt has written the post; the write of the first one is still on its way');
      },
    );
    expectStatus(written, 'written');
    await expectPost(demo, post, { author: 'bob', generation: 1 }, ['alice', 'bob']);
    session.print('');
    const deleted = await changeBeforeOurEyes(session, demo, 'deletePost', { post });
    expectStatus(deleted, 'deleted');
    const verdict = await letItArrive(worker);
    say(session, `now the write of the first attempt arrives: author bob, if there is no fence. SpiceDB: ${verdict}`);
    expectSame('what SpiceDB made of the late write', 'refused', verdict);
    await show(session, demo, post, ['bob']);
    await expectPost(demo, post, { author: undefined, generation: 2 }, ['alice', 'bob']);
  },
};
