import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';
import { identify } from '../src/processes.ts';

/** A program that a test started, with what it has written so far. */
export interface Program {
  process: ChildProcess;
  output(): string;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Resolves when its output contains `text`; rejects when it ends before. */
  says(text: string): Promise<void>;
}

/** Starts a fixture with its arguments, in a session of its own, so that nothing reaches it but what a test sends. */
export function runFixture(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const file = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href;
  const child = spawn(process.execPath, ['--import', tsx, file, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  return {
    process: child,
    output: () => output,
    exited,
    says: (text) => until(() => output.includes(text) || (child.exitCode !== null && fail(`ended:\n${output}`)), text),
  };
}

/** Resolves when the condition holds, and fails after 20 s, naming it. */
export async function until(condition: () => unknown, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) fail(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process runs; a zombie does not. */
export function runs(pid: number): boolean {
  return identify(pid) !== undefined;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes with this test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dev-stack-test-'));
  folders.push(folder);
  return folder;
}

function fail(message: string): never {
  throw new Error(message);
}
