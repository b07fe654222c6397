import { activityOf, BrokenPromise, expectSame, requireOwned, type Scenario, say } from '@repo/dev-stack';
import { failureTypes, postWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { changeBeforeOurEyes, expectPost, expectStatus, show, whoMayEdit } from './before-our-eyes.ts';

const users = ['alice', 'bob'];

/** A store is gone for a while. */
export const serverScenarios: Scenario<Demo>[] = [
  {
    name: 'postgres-down',
    title: 'PostgreSQL is stopped, SpiceDB lives: bob writes a post',
    promises: 'the first attempts fail; PostgreSQL is started again, and the post is there, in both stores.',
    async run(demo, session) {
      requireOwned(session, 'postgres');
      const post = session.newId('post');
      await demo.takeDown('postgres', 'stopServer');
      say(session, 'PostgreSQL is stopped; SpiceDB and Temporal run');
      const outcome = await changeBeforeOurEyes(
        session,
        demo,
        'writePost',
        { post, author: 'bob' },
        async ({ announce }) => {
          await expectFailing(demo, post, 'look', failureTypes.databaseUnavailable);
          await expectNobodyIsTold(demo, post);
          await announce('it has failed twice, and is tried again by itself; PostgreSQL is starting');
          await demo.bringBack('postgres');
          await announce('PostgreSQL is up again; nothing else is done');
        },
      );
      await show(session, demo, post, ['bob', 'alice']);
      expectStatus(outcome, 'written');
      await expectPost(demo, post, { author: 'bob', generation: 1 }, users);
    },
  },
  {
    name: 'spicedb-down',
    title: 'SpiceDB is killed, PostgreSQL lives: bob writes a post',
    promises: 'the row is there, and nobody sees it; SpiceDB is started again, and the post is open, in both stores.',
    async run(demo, session) {
      requireOwned(session, 'spicedb');
      const post = session.newId('post');
      await demo.takeDown('spicedb', 'killServer');
      say(session, 'SpiceDB is killed with SIGKILL; PostgreSQL and Temporal run');
      const outcome = await changeBeforeOurEyes(
        session,
        demo,
        'writePost',
        { post, author: 'bob' },
        async ({ announce }) => {
          await expectFailing(demo, post, 'apply', 'PermissionsUnavailable');
          expectSame('the row', { author: 'bob', status: 'pending' }, (await demo.services.posts.look(post)).row);
          expectSame('who may edit it', [], await whoMayEdit(demo, post, users));
          await announce('the row is pending, SpiceDB knows nothing of it: bob may not edit it, nor anybody else');
          await demo.bringBack('spicedb');
          await announce('SpiceDB is up again, with its data; nothing else is done');
        },
      );
      await show(session, demo, post, ['bob', 'alice']);
      expectStatus(outcome, 'written');
      await expectPost(demo, post, { author: 'bob', generation: 1 }, users);
    },
  },
  {
    name: 'both-down',
    title: 'Both stores are killed: bob writes a post, and they come back one after the other',
    promises: 'with one of them the post is still closed; with both it is there, once in each.',
    async run(demo, session) {
      requireOwned(session, 'postgres', 'spicedb');
      const post = session.newId('post');
      await Promise.all([demo.takeDown('postgres', 'killServer'), demo.takeDown('spicedb', 'killServer')]);
      say(session, 'PostgreSQL and SpiceDB are killed with SIGKILL; Temporal runs');
      const outcome = await changeBeforeOurEyes(
        session,
        demo,
        'writePost',
        { post, author: 'bob' },
        async ({ announce }) => {
          await expectFailing(demo, post, 'look', failureTypes.databaseUnavailable);
          await demo.bringBack('postgres');
          await announce('PostgreSQL is up again, SpiceDB is not');
          await expectFailing(demo, post, 'apply', 'PermissionsUnavailable');
          expectSame('who may edit it', [], await whoMayEdit(demo, post, users));
          await announce('the row is pending: bob may not edit it, nor anybody else');
          await demo.bringBack('spicedb');
          await announce('SpiceDB is up again');
        },
      );
      await show(session, demo, post, ['bob', 'alice']);
      expectStatus(outcome, 'written');
      await expectPost(demo, post, { author: 'bob', generation: 1 }, users);
    },
  },
];

/** Waits until the step has failed twice. @throws BrokenPromise if it was for another reason */
async function expectFailing({ client }: Demo, post: string, step: string, type: string): Promise<void> {
  const { lastFailure } = await activityOf(client, postWorkflowId(post), step, 3);
  const types: unknown[] = [];
  // Temporal keeps 4 KB of a failure that is being retried; a longer one is wrapped, and cut at its end.
  for (let one = lastFailure; one; one = one.cause) types.push(one.applicationFailureInfo?.type);
  if (!types.includes(type)) throw new BrokenPromise(`why ${step} failed`, type, lastFailure);
}

/** @throws BrokenPromise if readers get any answer while PostgreSQL is down */
async function expectNobodyIsTold({ services }: Demo, post: string): Promise<void> {
  const told = await services.readers.check({ user: 'bob', post, permission: 'view' }).catch(({ name }: Error) => name);
  if (told !== 'DatabaseUnavailable') throw new BrokenPromise('answer to bob', 'DatabaseUnavailable', told);
}
