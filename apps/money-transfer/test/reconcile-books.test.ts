import { postgresUrl } from '@repo/testing';
import pg from 'pg';
import { expect, it, vi } from 'vitest';
import { reconcile } from '../src/extras/reconcile.ts';
import { realServer } from './real-server.ts';

const { world, client } = await realServer('transfer-reconcile-books');

it('reads what rests page by page, and every one of them', async () => {
  const account = await world.account(100_000);
  const at = new Date().toISOString();
  const cent = { amount: 1, currency: 'EUR' };
  const references = Array.from({ length: 201 }, () => world.fresh('page'));
  await Promise.all(
    references.map((reference) => world.ledger.withdraw({ key: reference, at, reference, account, ...cent })),
  );
  const read = vi.spyOn(world.ledger, 'suspense');
  const found: string[] = [];
  let looked = 0;
  const onLooked = (transfers: number) => {
    looked += transfers;
  };
  for await (const one of reconcile({ client, ledger: world.ledger, graceMs: 0, onLooked })) {
    if ('reference' in one && references.includes(one.reference)) found.push(one.reference);
  }
  expect(found).toEqual(references.toSorted());
  expect(looked).toBeGreaterThanOrEqual(201);
  expect(read.mock.calls.map(([page]) => page?.limit)).toEqual([100, 100, 100]);
  read.mockRestore();
});

it('adds up the books: a balance that was changed by hand is found, in the sum and in the account', async () => {
  const account = await world.account(500);
  const admin = new URL(postgresUrl());
  admin.pathname = new URL(world.env.DATABASE_URL).pathname;
  const owner = new pg.Client({ connectionString: admin.href });
  await owner.connect();
  const change = (by: number) =>
    owner.query(`SET session_replication_role = replica; UPDATE ledger.accounts SET balance = balance + ${by}
      WHERE id = '${account}'`);
  const books = async () => {
    const found: string[] = [];
    for await (const one of reconcile({ client, ledger: world.ledger, graceMs: 86_400_000 })) {
      if ('books' in one) found.push(one.books);
    }
    return found;
  };
  try {
    await change(7);
    expect(await books()).toEqual([
      'EUR sums to 7 and not to 0',
      `${account} has a balance of 507, and entries of 500`,
    ]);
    await change(-7);
    expect(await books()).toEqual([]);
  } finally {
    await owner.end();
  }
});
