import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Progress } from '../progress.ts';
import { isExecutable } from './on-path.ts';

// Long enough for a slow line, short enough for a firewall that swallows packets.
const TIMEOUT = 180_000;

/** The version of the SDK, which decides what it downloads. */
export function sdkVersion(): string {
  const manifest = createRequire(import.meta.url).resolve('@temporalio/testing/package.json');
  return `sdk-${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}`;
}

/** Lets the SDK download the `temporal` program into `folder`; rejects at once where there is no network. */
export async function downloadDevServer(folder: string, progress: Progress): Promise<string> {
  progress('downloading the Temporal dev server the way the SDK does');
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  return downloaded(folder, () =>
    TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir: folder }, ui: false },
    }),
  );
}

/** Lets the SDK download the time-skipping test server into `folder`; rejects at once where there is no network. */
export async function downloadTestServer(folder: string, progress: Progress): Promise<string> {
  progress('downloading the time-skipping test server the way the SDK does');
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  return downloaded(folder, () =>
    TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'cached-download', downloadDir: folder } },
    }),
  );
}

/** The SDK offers no download by itself: it is started once, and what it left in the folder is the program. */
async function downloaded(folder: string, start: () => Promise<{ teardown(): Promise<void> }>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT / 1000} s`)), TIMEOUT);
  });
  try {
    const environment = await Promise.race([start(), late]);
    await environment.teardown();
  } finally {
    clearTimeout(timer);
  }
  const program = readdirSync(folder).find((name) => isExecutable(join(folder, name)));
  if (!program) throw new Error('the download left no program behind');
  return join(folder, program);
}
