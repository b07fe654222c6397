import { preset } from '@repo/vitest-preset';

export default preset();
