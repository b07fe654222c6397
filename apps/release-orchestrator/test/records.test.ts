import { randomUUID } from 'node:crypto';
import { createPool } from '@repo/operations';
import { postgresUrl } from '@repo/testing';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment, VersionSet } from '../src/contract.ts';
import { provisionRecords } from '../src/extras/local-services.ts';
import { createRecords, type Records } from '../src/services/records.ts';

let pool: Pool;
let records: Records;
const at = '2027-01-05T12:00:00.000Z';

beforeAll(async () => {
  const name = `records_${randomUUID().slice(0, 8)}`;
  const url = await provisionRecords(postgresUrl(), async (of) => `secret of ${of}`, name);
  pool = createPool({ connectionString: url });
  records = createRecords(pool);
});
afterAll(() => pool.end());

const version = (text: string) => ({ artifact: text.padEnd(64, '0'), config: '1'.repeat(64) });
let count = 0;

/** An environment of its own for each test; the records take any name. */
const fresh = () => `env-${count++}` as Environment;

/** A release that has begun, and is approved unless told otherwise. */
async function begun(
  environment: Environment,
  { decision, more = [] }: { decision?: 'approved' | 'rejected' | undefined; more?: Environment[] } = {
    decision: 'approved',
  },
) {
  const release = `r-${count++}`;
  const set: VersionSet = { web: version(release.replaceAll(/[^0-9]/g, '')) };
  await records.begin({ release, requestedBy: 'Ada', at });
  const json = {
    release,
    requestedBy: 'Ada',
    deployables: [],
    environments: [environment, ...more].map((one) => ({ environment: one, set })),
  };
  const { digest } = await records.keepDocument(json);
  if (decision) await records.decide({ release, approval: { decision, by: 'Bob', at, until: at, document: digest } });
  const operation = `release:${release}:env:${environment}`;
  return { release, json, claim: { operation, environment, release, set, at } };
}
const refused = (type: string) => expect.objectContaining({ type });

describe('a generation', () => {
  it('is issued once for one operation, however often it asks, at once and with another time', async () => {
    const { claim } = await begun(fresh());
    const each = await Promise.all(
      [1, 2, 3].map((n) => records.claim({ ...claim, at: `2027-01-0${n}T00:00:00.000Z` })),
    );
    expect(each).toEqual([{ generation: 1 }, { generation: 1 }, { generation: 1 }]);
  });

  it('is another one for each operation, and none is left out, also at once', async () => {
    const environment = fresh();
    const all = [];
    for (let n = 0; n < 8; n++) all.push(await begun(environment));
    const settled = await Promise.allSettled(all.map(({ claim }) => records.claim(claim)));
    const issued = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.generation] : []));
    expect(issued.toSorted((one, other) => one - other)).toEqual(issued.map((_, index) => index + 1));
    // The newest one is never too late; whoever comes after it is.
    expect(settled.at(-1)).toMatchObject({ status: 'fulfilled' });
    const rows = await records.deployments({ environment });
    const order = rows.toSorted((one, other) => one.generation - other.generation).map(({ release }) => release);
    expect(order).toEqual(all.map(({ release }) => release).filter((release) => order.includes(release)));
  });

  it('is refused to what was not approved, or is another set than that', async () => {
    const rejected = await begun(fresh(), { decision: 'rejected' });
    await expect(records.claim(rejected.claim)).rejects.toEqual(refused('NotAsApproved'));
    const { claim } = await begun(fresh());
    const other = { ...claim, set: { web: version('9') } };
    await expect(records.claim(other)).rejects.toEqual(refused('NotAsApproved'));
    expect(await records.deployments({ environment: claim.environment })).toEqual([]);
  });

  it('is refused to what is not part of a release, and to a rollback that was not planned like this', async () => {
    const environment = fresh();
    const { claim } = await begun(environment);
    const { generation } = await records.claim(claim);
    await records.settle({ environment, generation, status: 'good', set: claim.set, at });
    const made = { ...claim, operation: 'made-up' };
    await expect(records.claim(made)).rejects.toEqual(refused('NotAsApproved'));
    const operation = `rollback:${environment}:one`;
    await records.planRollback({ operation, environment, to: generation, requestedBy: 'Ada' });
    const planned = { ...claim, operation };
    for (const changes of [{ environment: fresh() }, { release: 'other' }, { set: { web: version('9') } }]) {
      await expect(records.claim({ ...planned, ...changes })).rejects.toEqual(refused('NotAsApproved'));
    }
    expect(await records.claim(planned)).toEqual({ generation: generation + 1 });
  });

  it('is refused until the release is approved, and once it has ended', async () => {
    const { release, claim } = await begun(fresh(), { decision: undefined });
    await expect(records.claim(claim)).rejects.toEqual(refused('NotAsApproved'));
    const document = (await records.release(release))?.documentDigest ?? '';
    await records.decide({ release, approval: { decision: 'approved', by: 'Bob', at, until: at, document } });
    expect(await records.claim(claim)).toEqual({ generation: 1 });
    const other = await begun(fresh());
    await records.end({ release: other.release, status: 'cancelled', at });
    await expect(records.claim(other.claim)).rejects.toEqual(refused('NotAsApproved'));
    expect(await records.claim(claim), 'what it had got before').toEqual({ generation: 1 });
  });

  it('is refused where the release is not good in the environments before', async () => {
    const [first, next] = [fresh(), fresh()];
    const { claim, release } = await begun(first, { decision: 'approved', more: [next] });
    const later = { ...claim, environment: next, operation: `release:${release}:env:${next}` };
    const inNext = () => records.claim(later);
    await expect(inNext()).rejects.toEqual(refused('NotAsApproved'));
    const { generation } = await records.claim(claim);
    await expect(inNext()).rejects.toThrow(`release ${release} is not good in ${first}`);
    await records.settle({ environment: first, generation, status: 'good', set: claim.set, at });
    expect(await inNext()).toEqual({ generation: 1 });
    const straight = await begun('prod');
    await expect(records.claim(straight.claim)).rejects.toThrow('is not good in qc');
  });

  it('is refused to a release that began earlier than what is there, until that is rolled back', async () => {
    const environment = fresh();
    const [older, later, newer] = [await begun(environment), await begun(environment), await begun(environment)];
    const { generation } = await records.claim(newer.claim);
    await expect(records.claim(older.claim)).rejects.toEqual(refused('Superseded'));
    await records.settle({ environment, generation, status: 'rolled-back', at });
    expect(await records.claim(later.claim)).toEqual({ generation: 2 });
    // That is the answer for good.
    await expect(records.claim(older.claim)).rejects.toEqual(refused('Superseded'));
  });

  it('is not issued any more once it was withdrawn', async () => {
    const { claim } = await begun(fresh());
    expect(await records.withdraw(claim)).toBeUndefined();
    await expect(records.claim(claim)).rejects.toEqual(refused('Withdrawn'));
  });
});

describe('what became of it', () => {
  it('is said once', async () => {
    const { claim } = await begun(fresh());
    const { environment } = claim;
    const { generation } = await records.claim(claim);
    expect(await records.unsettled({ before: '2027-01-06T00:00:00.000Z' })).toContainEqual(
      expect.objectContaining({ operation: claim.operation }),
    );
    await records.settle({ environment, generation, status: 'good', set: claim.set, at });
    const again = await records.settle({ environment, generation, status: 'rolled-back', at });
    expect(again).toMatchObject({ status: 'good', set: claim.set });
  });
});

describe('a rollback goes back', () => {
  /** Switches an environment, as a release or a rollback does it. */
  async function good(claim: Awaited<ReturnType<typeof begun>>['claim'], status: 'good' | 'activating' = 'good') {
    const { environment, set } = claim;
    const { generation } = await records.claim(claim);
    if (status === 'good') await records.settle({ environment, generation, status, set, at });
    return generation;
  }
  const plan = (environment: Environment, to?: number) =>
    records.planRollback({ operation: `rollback:${environment}:${count++}`, environment, to, requestedBy: 'Ada' });

  it('from what is good to what was good before, and from a rollback still further', async () => {
    const environment = fresh();
    const all = [await begun(environment), await begun(environment), await begun(environment)];
    for (const { claim } of all) await good(claim);
    for (const generation of [2, 1]) {
      const operation = `rollback:${environment}:${count++}`;
      const { release, set, ...found } = await records.planRollback({ operation, environment, requestedBy: 'Ada' });
      expect({ ...found, release, set }).toMatchObject({ generation, release: all[generation - 1]?.release });
      await good({ operation, environment, release, set, at });
    }
    await expect(plan(environment)).rejects.toEqual(refused('NothingToRollBackTo'));
    expect(await plan(environment, 3)).toMatchObject({ generation: 3, release: all[2]?.release });
  });

  it('from what is only being tried to what is good', async () => {
    const environment = fresh();
    const all = [await begun(environment), await begun(environment), await begun(environment)];
    for (const [index, { claim }] of all.entries()) await good(claim, index === 2 ? 'activating' : 'good');
    expect(await plan(environment)).toMatchObject({ generation: 2, release: all[1]?.release });
  });
});

describe('a document', () => {
  it('is written once; another one is refused', async () => {
    const { json } = await begun(fresh());
    const { digest } = await records.keepDocument(json);
    expect(await records.keepDocument(structuredClone(json))).toMatchObject({ digest });
    await expect(records.keepDocument({ ...json, requestedBy: 'Eve' })).rejects.toEqual(refused('DocumentMismatch'));
  });
});
