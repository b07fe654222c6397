import { createPool, statement } from '@repo/operations';
import type { Permissions } from '@repo/permissions';

/** What PostgreSQL has on record of a post. */
export interface OnRecord {
  post: string;
  generation: number;
  /** Missing if PostgreSQL has never heard of the post. */
  last?: { change: string; author: string | undefined; ageMs: number };
  /** Missing if there is no such post, or none any more. */
  row?: { author: string; status: string };
}

/** What SpiceDB holds of a post: all of it, in whatever number. */
export interface HeldRelationships {
  authors: string[];
  fences: string[];
}

/** How many posts are read at once. */
const pageSize = 500;

const select = `
  SELECT post, generation, change, last.author AS last_author, posts.author, status,
    (extract(epoch FROM now() - changed_at) * 1000)::float8 AS age_ms
  FROM post_generations AS last LEFT JOIN posts USING (post)`;

/** PostgreSQL, for the reconciler. Each call throws `DatabaseUnavailable` if it does not answer. */
export class Records {
  readonly #pool: ReturnType<typeof createPool>;

  constructor(connectionString: string) {
    this.#pool = createPool({ connectionString, max: 4 });
  }

  async of(post: string): Promise<OnRecord | undefined> {
    return (await this.#read(`${select} WHERE post = $1`, [post]))[0];
  }

  /** All posts that there are or have been, in the order of their ids. */
  async *pages(prefix: string): AsyncGenerator<OnRecord[]> {
    let after = '';
    for (;;) {
      // In the order of bytes (COLLATE "C"), a prefix comes before all that begin with it.
      const following = `${select} WHERE post > $1 AND post >= $2 AND starts_with(post, $2) ORDER BY post LIMIT ${pageSize}`;
      const page = await this.#read(following, [after, prefix]);
      if (page.length > 0) yield page;
      if (page.length < pageSize) return;
      after = page.at(-1)?.post ?? '';
    }
  }

  /** Posts in SpiceDB that PostgreSQL has never heard of. */
  async *unknownOf(permissions: Permissions, prefix: string): AsyncGenerator<string[]> {
    const unknown = async (posts: Set<string>) => {
      const notThere = `SELECT post FROM unnest($1::text[]) AS these (post)
        WHERE NOT EXISTS (SELECT FROM post_generations AS known WHERE known.post = these.post)`;
      return (await statement<{ post: string }>(this.#pool, notThere, [[...posts]])).map(({ post }) => post);
    };
    let posts = new Set<string>();
    const filter = { resourceType: 'post' };
    for await (const { resource } of permissions.relationships({ filter, consistency: 'full' })) {
      if (!resource.id.startsWith(prefix)) continue;
      posts.add(resource.id);
      if (posts.size < pageSize) continue;
      yield await unknown(posts);
      posts = new Set();
    }
    yield await unknown(posts);
  }

  /** True if there has never been a post. */
  async isEmpty(): Promise<boolean> {
    return (await statement(this.#pool, 'SELECT FROM post_generations LIMIT 1')).length === 0;
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #read(text: string, values: unknown[]): Promise<OnRecord[]> {
    const rows = await statement(this.#pool, text, values);
    return rows.map(({ post, generation, change, last_author, age_ms, author, status }) => ({
      post,
      generation: Number(generation),
      last: { change, author: last_author ?? undefined, ageMs: age_ms },
      ...(status === null ? {} : { row: { author, status } }),
    }));
  }
}

/** Everything that SpiceDB holds of a post at this moment. */
export async function held(permissions: Permissions, post: string): Promise<HeldRelationships> {
  const found: HeldRelationships = { authors: [], fences: [] };
  const filter = { resourceType: 'post', resourceId: post };
  for await (const { relation, subject } of permissions.relationships({ filter, consistency: 'full' })) {
    found[relation === 'fence' ? 'fences' : 'authors'].push(subject.id);
  }
  return found;
}

/** What is not as it must be once nobody changes the post, in words. */
export function driftOf({ row, generation }: OnRecord, { authors, fences }: HeldRelationships): string | undefined {
  if (row && row.status !== 'active') return `is ${row.status}: a change of it was left unfinished`;
  const problems: string[] = [];
  const author = row?.author ?? '';
  if (authors.join() !== author) {
    problems.push(
      `belongs to ${author || 'nobody'} in PostgreSQL, and to ${authors.join(' and ') || 'nobody'} in SpiceDB`,
    );
  }
  if (fences.join() !== (generation === 0 ? '' : String(generation))) {
    problems.push(`has generation ${generation} in PostgreSQL, and ${fences.join(' and ') || 'none'} in SpiceDB`);
  }
  return problems.join('; ') || undefined;
}
