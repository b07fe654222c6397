import { appServers } from '@repo/testing/setup';
import { preset } from '@repo/vitest-preset';
import { mergeConfig } from 'vitest/config';

export default mergeConfig(preset({ globalSetup: [appServers], provide: { needs: ['postgres', 'temporal'] } }), {
  // Half of what a short test file costs is loading the SDK; a process that runs several files loads it once.
  test: { isolate: false },
});
