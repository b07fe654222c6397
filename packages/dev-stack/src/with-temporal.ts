import { dataRoot } from './paths.ts';
import { terminalProgress } from './progress.ts';
import { joinStack } from './stack.ts';
import { ignoreTemporalProfile } from './start-environment.ts';

/**
 * Runs a command that needs Temporal and nothing else. A server named by `TEMPORAL_ADDRESS` or `TEMPORAL_PROFILE` is
 * used; else the one of this clone's stack, which runs at least as long as the command does.
 */
export async function withTemporal<Result>(command: () => Promise<Result>): Promise<Result> {
  if (process.env.TEMPORAL_ADDRESS || process.env.TEMPORAL_PROFILE) return command();
  const stack = await joinStack({ need: ['temporal'], onProgress: terminalProgress() });
  try {
    ignoreTemporalProfile(dataRoot);
    process.env.TEMPORAL_ADDRESS = stack.temporal?.address;
    process.env.TEMPORAL_NAMESPACE = stack.temporal?.namespace;
    return await command();
  } finally {
    await stack.leave();
  }
}
