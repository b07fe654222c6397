import { createPool, transaction } from '@repo/operations';
import type { Consistency, Permissions } from '@repo/permissions';
import { createPermissions, PermissionsError, permissionsConfig, permissionsFailureTypes } from '@repo/permissions';
import { InvalidInputError } from '@repo/worker-kit/errors';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import type { Change, Permission, Seen } from './contract.ts';

/** The outside world of this app: posts in PostgreSQL, their authors in SpiceDB. */

/**
 * Posts and their generations. Every call may be repeated; each throws `DatabaseUnavailable` if PostgreSQL does not
 * answer, and may then have happened.
 */
export interface Posts {
  look(post: string): Promise<Seen>;
  /**
   * Takes the post from the generation that was seen to a later one, and closes it: from here on nobody sees it. False,
   * and nothing has changed, if its generation is another one by now. Repeated, it answers the same until the next change.
   */
  begin(change: Change & { seen: number; generation: number }): Promise<boolean>;
  /**
   * Ends the change: the post is open, with the token of the write in SpiceDB, or deleted. False, and nothing has changed,
   * if its generation is another one by now.
   */
  settle(settled: { post: string; generation: number; token: string }): Promise<boolean>;
}

/** What readers ask. */
export interface Readers {
  /**
   * Sees every change that is done, at once. A post that is being changed, before or while it is asked for, is denied.
   * @throws InvalidInputError if there is no such post
   */
  check(request: { user: string; post: string; permission: Permission }): Promise<boolean>;
  /** The posts that a user may view, page by page; each is checked once more by itself. */
  list(request: { user: string }): AsyncIterable<string>;
}

export interface Services {
  posts: Posts;
  permissions: Permissions;
  readers: Readers;
  close(): Promise<void>;
}

/** From the environment. */
export const servicesConfig = permissionsConfig.extend({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a URL of PostgreSQL' }),
});

/** @param onDatabaseLost told of connections that break while nobody uses them; the next call opens another one */
export function createServices(
  config: z.infer<typeof servicesConfig>,
  onDatabaseLost: (error: Error) => void = () => {},
): Services {
  // Less than an activity has (5 s), so that its failure says what did not answer.
  const timeouts = { connectionTimeoutMillis: 3_000, statement_timeout: 4_000, query_timeout: 4_500 };
  const pool = createPool({ connectionString: config.DATABASE_URL, ...timeouts }, onDatabaseLost);
  const permissions = createPermissions(config);
  const posts = postsIn(pool);
  const close = async () => {
    permissions.close();
    await pool.end();
  };
  return { posts, permissions, readers: readersOf(posts, permissions), close };
}

function postsIn(pool: Pool): Posts {
  return {
    look: (post) => transaction(pool, (tx) => look(tx, post)),
    begin: (change) => transaction(pool, (tx) => begin(tx, change)),
    settle: (settled) => transaction(pool, (tx) => settle(tx, settled)),
  };
}

async function look(tx: PoolClient, post: string): Promise<Seen> {
  const select = `SELECT generation, posts.author, status, token
    FROM post_generations LEFT JOIN posts USING (post) WHERE post = $1`;
  const [found] = (await tx.query(select, [post])).rows;
  if (!found) return { generation: 0 };
  const { author, status, token } = found;
  const row = status === null ? {} : { row: { author, status, ...(token === null ? {} : { token }) } };
  return { generation: Number(found.generation), ...row };
}

async function begin(tx: PoolClient, next: Parameters<Posts['begin']>[0]): Promise<boolean> {
  const { change, post, author = null, seen, generation } = next;
  // The generation is compared and set in one statement, which locks the row: of two at once, one comes second and is refused.
  const compareAndSet = `
    INSERT INTO post_generations AS held (post, generation, change, author) VALUES ($1, $2, $3, $4)
    ON CONFLICT (post) DO UPDATE SET generation = $2, change = $3, author = $4, changed_at = now()
    WHERE held.generation = $5 AND held.generation < $2`;
  const { rowCount } = await tx.query(compareAndSet, [post, generation, change, author, seen]);
  if (rowCount === 0) return isLastChange(tx, next);
  if (change === 'delete') {
    await tx.query(`UPDATE posts SET status = 'deleting', token = NULL WHERE post = $1`, [post]);
    return true;
  }
  const close = `
    INSERT INTO posts (post, author, status) VALUES ($1, $2, $3)
    ON CONFLICT (post) DO UPDATE SET author = $2, status = $3, token = NULL`;
  await tx.query(close, [post, author, change === 'write' ? 'pending' : 'transferring']);
  return true;
}

/** Whether this very change is the last one that was begun: its reply was lost, or it was sent twice. */
async function isLastChange(tx: PoolClient, change: Parameters<Posts['begin']>[0]): Promise<boolean> {
  const { post, generation, author = null } = change;
  const select = `SELECT FROM post_generations
    WHERE post = $1 AND generation = $2 AND change = $3 AND author IS NOT DISTINCT FROM $4`;
  return (await tx.query(select, [post, generation, change.change, author])).rowCount === 1;
}

async function settle(tx: PoolClient, { post, generation, token }: Parameters<Posts['settle']>[0]): Promise<boolean> {
  // Locked until the end, so that no other change begins in between.
  const select = 'SELECT FROM post_generations WHERE post = $1 AND generation = $2 FOR UPDATE';
  if ((await tx.query(select, [post, generation])).rowCount === 0) return false;
  await tx.query(`DELETE FROM posts WHERE post = $1 AND status = 'deleting'`, [post]);
  const open = `UPDATE posts SET status = 'active', token = $2 WHERE post = $1 AND status IN ('pending', 'transferring')`;
  await tx.query(open, [post, token]);
  return true;
}

/** How many posts of a list are checked at once. */
const atOnce = 20;

type Question = { user: string; post: string; permission: Permission };

export function readersOf(posts: Posts, permissions: Permissions): Readers {
  return { check, list };

  async function check(question: Question): Promise<boolean> {
    const allowed = await visible(question);
    if (allowed === undefined) throw new InvalidInputError([{ field: 'post', message: 'is not known' }]);
    return allowed;
  }

  async function* list({ user }: { user: string }): AsyncIterable<string> {
    const permission = 'view';
    const mine = { type: 'post', permission, subject: { type: 'user', id: user }, consistency: 'full' } as const;
    const listed = new Set<string>();
    let page: string[] = [];
    const visibleOnes = async () => {
      const allowed = await Promise.all(page.map((post) => visible({ user, post, permission }, 'full')));
      return page.filter((_, index) => allowed[index]);
    };
    for await (const post of permissions.resources(mine)) {
      if (listed.has(post)) continue;
      listed.add(post);
      page.push(post);
      if (page.length < atOnce) continue;
      yield* await visibleOnes();
      page = [];
    }
    yield* await visibleOnes();
  }

  /** Undefined if there is no such post. */
  async function visible({ post, ...who }: Question, consistency?: 'full'): Promise<boolean | undefined> {
    const before = await posts.look(post);
    if (!before.row) return undefined;
    const { status, token } = before.row;
    if (status !== 'active' || token === undefined) return false;
    if (!(await ask({ post, ...who }, consistency ?? { atLeastAsFreshAs: token }))) return false;
    // A change may have begun, and reached SpiceDB, before it answered: what it said would then hold of a closed post.
    const after = await posts.look(post);
    return after.generation === before.generation && after.row?.status === 'active';
  }

  async function ask({ user, post, permission }: Question, consistency: Consistency): Promise<boolean> {
    const question = { resource: { type: 'post', id: post }, permission, subject: { type: 'user', id: user } };
    try {
      return (await permissions.check({ ...question, consistency })).allowed;
    } catch (error) {
      // SpiceDB's data was rebuilt since the token was given: only the newest state is sure to be new enough.
      if (!(error instanceof PermissionsError && error.type === permissionsFailureTypes.tokenUnusable)) throw error;
      return (await permissions.check({ ...question, consistency: 'full' })).allowed;
    }
  }
}
