import { fileURLToPath } from 'node:url';
import { runProgram } from '@repo/worker-kit';
import { quietRuntime } from './quiet-runtime.ts';
import { replayCommand } from './replay-command.ts';

/**
 * `pnpm replay <workflow id | file> [--app <app>]`: replays a real run against the code at hand, and says in words where
 * they part. Exit code 0 if nothing differs, 1 if something does or there is nothing to replay, 2 for bad arguments.
 */
await runProgram(async () => {
  // Replaying logs each failure at length; what it means is said in words.
  quietRuntime({ silent: true });
  const { replays, text } = await replayCommand(
    process.argv.slice(2),
    fileURLToPath(new URL('../../..', import.meta.url)),
  );
  console.log(text);
  if (!replays) process.exitCode = 1;
});
