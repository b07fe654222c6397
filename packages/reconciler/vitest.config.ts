import { preset } from '@repo/vitest-preset';

export default preset({ globalSetup: ['./test/global-setup.ts'] });
