import { createPermissions, type Permissions, type PermissionsConfig } from '@repo/permissions';
import pg from 'pg';

/** What both stores hold of a post. */
interface Both {
  row?: { author: string; status: string } | undefined;
  generation: number;
  authors: string[];
  fences: string[];
}

/** What must hold in the two stores, whatever Temporal says. Tests and scenarios ask the same functions. */
export class Stores {
  readonly permissions: Permissions;
  readonly #pool: pg.Pool;

  constructor({ DATABASE_URL, ...spicedb }: PermissionsConfig & { DATABASE_URL: string }) {
    this.#pool = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });
    // A server that stops while the connection is idle is no event of ours; the next query says so.
    this.#pool.on('error', () => {});
    this.permissions = createPermissions(spicedb);
  }

  /** What both stores hold of a post at this moment; undefined if neither has ever heard of it. */
  async both(post: string): Promise<Both | undefined> {
    return (await this.#read({ from: post, to: post })).get(post);
  }

  /**
   * Where the stores disagree, in words. At rest there must be nothing: rows and author relationships are a bijection, every
   * row is active, and every fence is the generation of its post. A post that is being changed is reported as such.
   * @param prefix of the ids to look at: all by default. They are read into memory.
   */
  async disagreements(prefix = ''): Promise<string[]> {
    const found = await this.#read({ from: prefix, to: `${prefix}\u{10ffff}` });
    return [...found].flatMap(([post, both]) => wrongWith(both).map((problem) => `${post} ${problem}`));
  }

  async close(): Promise<void> {
    this.permissions.close();
    await this.#pool.end();
  }

  async #read({ from, to }: { from: string; to: string }): Promise<Map<string, Both>> {
    const select = `SELECT post, generation, posts.author, status FROM post_generations FULL JOIN posts USING (post)
      WHERE post >= $1 AND post <= $2`;
    const { rows } = await this.#pool.query(select, [from, to]);
    const found = new Map<string, Both>();
    const of = (post: string): Both => {
      const both = found.get(post) ?? { generation: 0, authors: [], fences: [] };
      found.set(post, both);
      return both;
    };
    for (const { post, generation, author, status } of rows) {
      Object.assign(of(post), { generation: Number(generation), ...(status && { row: { author, status } }) });
    }
    const filter = { resourceType: 'post', ...(from === to && { resourceId: from }) };
    for await (const { resource, relation, subject } of this.permissions.relationships({
      filter,
      consistency: 'full',
    })) {
      if (resource.id < from || resource.id > to) continue;
      of(resource.id)[relation === 'fence' ? 'fences' : 'authors'].push(subject.id);
    }
    return found;
  }
}

function wrongWith({ row, generation, authors, fences }: Both): string[] {
  const problems: string[] = [];
  if (row && row.status !== 'active') problems.push(`is ${row.status}`);
  const owner = row ? [row.author] : [];
  if (authors.join() !== owner.join()) {
    problems.push(
      `belongs to ${owner.join() || 'nobody'} in PostgreSQL and to ${authors.join() || 'nobody'} in SpiceDB`,
    );
  }
  if (fences.join() !== String(generation)) {
    problems.push(`has generation ${generation} in PostgreSQL and ${fences.join() || 'none'} in SpiceDB`);
  }
  return problems;
}
