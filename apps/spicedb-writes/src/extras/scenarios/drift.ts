import { activityOf, expectSame, type Scenario, type Session, say, until } from '@repo/dev-stack';
import pg from 'pg';
import { postWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { findingInWords } from '../post-words.ts';
import { startChange } from '../posts.ts';
import { type Finding, reconcile } from '../reconcile.ts';
import { aPostOf, expectPost, whoMayEdit, writeIsHeld } from './before-our-eyes.ts';

const users = ['bob', 'eve'];
const user = (id: string) => ({ type: 'user', id });

/** Both stores are damaged by hand, both ways. */
export const driftScenario: Scenario<Demo> = {
  name: 'drift',
  title: 'Somebody changes both stores by hand; the reconciler finds and mends it',
  promises:
    'every disagreement is found and mended, what was missing is closed meanwhile; the second time there is nothing to do.',
  async run(demo, session) {
    const damaged = await damage(demo, session);
    const { stolen, ...closed } = damaged;
    for (const post of Object.values(closed)) await expectWhoMayEdit(demo, post, []);
    say(session, `nobody may edit ${Object.values(closed).join(', ')}`);
    await expectWhoMayEdit(demo, stolen, ['eve']);
    say(session, `but what somebody grants by hand in SpiceDB is a grant: eve may edit ${stolen}`);

    const all = Object.values(damaged).toSorted();
    const found = await turn(demo, session, true);
    expectSame('what the dry run found', all, found.map(({ post }) => post).toSorted());
    const mended = await turn(demo, session, false);
    expectSame(
      'what was mended',
      all,
      mended
        .filter(({ action }) => action === 'mended')
        .map(({ post }) => post)
        .toSorted(),
    );
    expectSame('what the second turn found', [], await turn(demo, session, false));

    await expectPost(demo, damaged.ungranted, { author: 'bob', generation: 2 }, users);
    await expectPost(demo, damaged.rowless, { author: undefined, generation: 2 }, users);
    await expectPost(demo, damaged.ghost, { author: undefined, generation: 1 }, users);
    await expectPost(demo, damaged.stolen, { author: 'bob', generation: 2 }, users);
    await expectPost(demo, damaged.abandoned, { author: 'bob', generation: 1 }, users);
  },
};

/**
 * Waits for it: a check is at least as fresh as this app's last write, and what somebody else writes to SpiceDB shows some
 * seconds later.
 */
async function expectWhoMayEdit(demo: Demo, post: string, expected: string[]): Promise<void> {
  await until(`${expected.join() || 'nobody'} who may edit ${post}`, async () =>
    (await whoMayEdit(demo, post, users)).join() === expected.join() ? true : undefined,
  );
}

/** The posts, by what is wrong with them. */
async function damage(demo: Demo, session: Session) {
  const { permissions } = demo.services;
  const ofPost = (post: string, author: string) => ({
    resource: { type: 'post', id: post },
    relation: 'author',
    subject: user(author),
  });
  const abandoned = await abandonedPost(demo, session);
  const ungranted = await aPostOf(session, demo, 'bob');
  await permissions.delete({ filter: { resourceType: 'post', resourceId: ungranted, relation: 'author' } });
  say(session, '  its relationship is deleted in SpiceDB');
  const rowless = await aPostOf(session, demo, 'bob');
  await sql(demo, 'DELETE FROM posts WHERE post = $1', rowless);
  say(session, '  its row is deleted in PostgreSQL');
  const ghost = session.newId('post');
  await permissions.write({ updates: [{ operation: 'touch', relationship: ofPost(ghost, 'eve') }] });
  say(session, `${ghost} is granted to eve in SpiceDB, and PostgreSQL has never heard of it`);
  const stolen = await aPostOf(session, demo, 'bob');
  await permissions.write({
    updates: [
      { operation: 'delete', relationship: ofPost(stolen, 'bob') },
      { operation: 'touch', relationship: ofPost(stolen, 'eve') },
    ],
  });
  say(session, '  bob is replaced by eve in SpiceDB');
  return { abandoned, ungranted, rowless, ghost, stolen };
}

/** A post whose workflow was terminated between the two writes. */
async function abandonedPost(demo: Demo, session: Session): Promise<string> {
  const post = session.newId('post');
  const worker = await demo.startFaultyWorker('held-write');
  const handle = await startChange(demo.client, 'writePost', { post, author: 'bob' });
  await writeIsHeld(worker);
  await activityOf(demo.client, postWorkflowId(post), 'apply');
  await handle.terminate('a scenario');
  await demo.killWorker(worker);
  await demo.startWorker();
  say(session, `${post} is being written by bob, and its workflow is terminated between the two writes`);
  return post;
}

async function turn({ client, services, records }: Demo, session: Session, dryRun: boolean): Promise<Finding[]> {
  session.print('');
  session.print(`  post reconcile --grace 0s --prefix post-${session.suffix}-${dryRun ? ' --dry-run' : ''}`);
  const { permissions } = services;
  const findings: Finding[] = [];
  const input = { client, permissions, records, graceMs: 0, dryRun, prefix: `post-${session.suffix}-` };
  for await (const finding of reconcile(input)) {
    findings.push(finding);
    session.print(`    ${findingInWords(finding)}`);
  }
  if (findings.length === 0) session.print('    nothing to do');
  return findings;
}

async function sql({ databaseUrl }: Demo, statement: string, post: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(statement, [post]);
  } finally {
    await client.end();
  }
}
