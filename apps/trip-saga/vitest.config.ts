import { appServers } from '@repo/testing/setup';
import { preset } from '@repo/vitest-preset';

export default preset({
  globalSetup: [appServers],
  provide: { needs: ['postgres', 'temporal'] },
  isolate: false,
  maxWorkers: 3,
});
