import { fileURLToPath } from 'node:url';
import { replayUnder } from '@repo/testing';

replayUnder(fileURLToPath(new URL('./histories', import.meta.url)));
