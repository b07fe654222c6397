import { expectSame, type Scenario } from '@repo/dev-stack';
import type { Demo } from '../demo.ts';
import {
  aPostOf,
  changeBeforeOurEyes,
  expectPost,
  expectStatus,
  letItArrive,
  show,
  whoMayEdit,
  writeIsHeld,
} from './before-our-eyes.ts';

const users = ['alice', 'bob', 'carol'];

/** Nothing is broken; the stores are looked at in the middle. */
export const changeScenarios: Scenario<Demo>[] = [
  {
    name: 'write',
    title: 'Bob writes a post: a row in PostgreSQL, a relationship in SpiceDB',
    promises: 'the row and the relationship are there, bob may edit the post, alice may not.',
    async run(demo, session) {
      const post = session.newId('post');
      const outcome = await changeBeforeOurEyes(session, demo, 'writePost', { post, author: 'bob' });
      await show(session, demo, post, ['bob', 'alice']);
      expectStatus(outcome, 'written');
      await expectPost(demo, post, { author: 'bob', generation: 1 }, users);
    },
  },
  {
    name: 'transfer',
    title: 'A post of bob becomes one of carol, seen in the middle',
    promises: 'in between nobody has it, at no moment both; afterwards carol has it and bob does not.',
    async run(demo, session) {
      const post = await aPostOf(session, demo, 'bob');
      const worker = await demo.startFaultyWorker('held-write');
      const seen = new Set<string>();
      let isOver = false;
      const keepLooking = async () => {
        while (!isOver) seen.add((await whoMayEdit(demo, post, users)).join(' and ') || 'nobody');
      };
      const outcome = await changeBeforeOurEyes(
        session,
        demo,
        'transferPost',
        { post, to: 'carol' },
        async ({ announce }, ended) => {
          const looking = keepLooking();
          await writeIsHeld(worker);
          expectSame('who may edit it in the middle', [], await whoMayEdit(demo, post, users));
          await announce('the row is closed, the write to SpiceDB is on its way: neither bob nor carol may edit it');
          expectSame('what SpiceDB made of the write', 'done', await letItArrive(worker));
          await ended.finally(() => {
            isOver = true;
          });
          await looking;
        },
      );
      await show(session, demo, post, ['bob', 'carol']);
      session.print(`  Meanwhile   it belonged to ${[...seen].join(', then ')}`);
      expectStatus(outcome, 'transferred');
      expectSame(
        'moments at which more than one had it',
        [],
        [...seen].filter((one) => one.includes(' and ')),
      );
      expectSame('a moment at which nobody had it', true, seen.has('nobody'));
      await expectPost(demo, post, { author: 'carol', generation: 2 }, users);
    },
  },
  {
    name: 'delete',
    title: 'A post of bob is deleted, seen in the middle',
    promises: 'bob loses it before anything is revoked; afterwards both stores have nothing but its generation.',
    async run(demo, session) {
      const post = await aPostOf(session, demo, 'bob');
      const worker = await demo.startFaultyWorker('held-write');
      const outcome = await changeBeforeOurEyes(session, demo, 'deletePost', { post }, async ({ announce }) => {
        await writeIsHeld(worker);
        const both = await demo.stores.both(post);
        expectSame('authors in SpiceDB in the middle', ['bob'], both?.authors);
        expectSame('who may edit it in the middle', [], await whoMayEdit(demo, post, users));
        await announce('the row is deleting, SpiceDB still has bob as its author: he may not edit it any more');
        expectSame('what SpiceDB made of the write', 'done', await letItArrive(worker));
      });
      await show(session, demo, post, ['bob']);
      expectStatus(outcome, 'deleted');
      await expectPost(demo, post, { author: undefined, generation: 2 }, users);
    },
  },
];
