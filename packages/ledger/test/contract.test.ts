import { afterAll, beforeAll } from 'vitest';
import { createLedgerActivities } from '../src/index.ts';
import { describeLedger } from './contract.ts';
import { type Books, createBooks } from './harness.ts';

let books: Books;
beforeAll(async () => {
  books = await createBooks('ledger_contract');
});
afterAll(() => books.close());

describeLedger(
  'the library',
  () => books,
  () => books.ledger,
);
describeLedger(
  'as activities',
  () => books,
  () => createLedgerActivities(books.ledger),
);
