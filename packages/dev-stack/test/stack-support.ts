import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, vi } from 'vitest';
import { identify } from '../src/processes.ts';
import { type JoinOptions, joinStack, type Stack } from '../src/stack.ts';
import { stackPlaces } from '../src/stack-servers/places.ts';
import { readRecord } from '../src/stack-servers/record.ts';
import { type Running, runFile } from './support.ts';

/** The servers of a stack. */
export const both = ['temporal', 'postgres'] as const;
/** A name that no other test uses. */
export const newName = () => `test-${randomBytes(4).toString('hex')}`;
/** What a stack's daemon has written down. */
export const record = (stack: string, ephemeral = true) => readRecord(stackPlaces({ stack, ephemeral }).record);
const joined: (Stack | Running)[] = [];

/** Joins an ephemeral stack with both servers, unless told otherwise; left after the test. */
export async function joinOne(options: Partial<JoinOptions> = {}): Promise<Stack> {
  const stack = await joinStack({ need: [...both], ephemeral: true, ignoreEnvironment: true, ...options });
  joined.push(stack);
  return stack;
}

/** Another process with a lease on an ephemeral stack. */
export function holder(name: string): Running {
  const running = runFile('fixtures/hold-lease.ts', [name]);
  joined.push(running);
  return running;
}

/** The processes of a stack, daemon first. */
export function pids(stack: string, ephemeral = true): number[] {
  const found = record(stack, ephemeral);
  if (!found) throw new Error(`no record of ${stack}`);
  return [found.daemon.pid, ...Object.values(found.servers).map((server) => server.process.pid)];
}

/** Whether none of these processes runs. */
export const allGone = (numbers: number[]) => numbers.every((pid) => identify(pid) === undefined);

/** Asks the PostgreSQL of a stack, on a connection of its own. */
export async function query(stack: Stack, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: stack.postgres?.url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Gives back every lease of a test after it. */
export function leaveAfterEach(): void {
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const one of joined.splice(0)) {
      if ('leave' in one) await one.leave();
      else if (one.child.exitCode === null && one.child.signalCode === null) {
        one.child.stdin?.end();
        await one.ended;
      }
    }
  });
}
