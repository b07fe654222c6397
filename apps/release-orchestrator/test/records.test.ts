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
  { decision = 'approved' as const } = {} as { decision?: 'approved' | 'rejected' },
) {
  const release = `r-${count++}`;
  const set: VersionSet = { web: version(release.replaceAll(/[^0-9]/g, '')) };
  await records.begin({ release, requestedBy: 'Ada', at });
  const json = { release, requestedBy: 'Ada', deployables: [], environments: [{ environment, set }] };
  const { digest } = await records.keepDocument(json);
  await records.decide({ release, approval: { decision, by: 'Bob', at, until: at, document: digest } });
  const operation = `release:${release}:env:${environment}`;
  return { release, json, claim: { operation, environment, release, requestedBy: 'Ada', set, at } };
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

describe('a document', () => {
  it('is written once; another one is refused', async () => {
    const { json } = await begun(fresh());
    const { digest } = await records.keepDocument(json);
    expect(await records.keepDocument(structuredClone(json))).toMatchObject({ digest });
    await expect(records.keepDocument({ ...json, requestedBy: 'Eve' })).rejects.toEqual(refused('DocumentMismatch'));
  });
});
