import { fileURLToPath } from 'node:url';
import { replayRecordedHistories } from '@repo/testing';

await replayRecordedHistories(fileURLToPath(new URL('./histories', import.meta.url)));
