import './app-servers.ts';

export { postgresUrl, timeSkippingEnvironment, workflowBundle } from './environment.ts';
export { replayRecordedHistories } from './replay.ts';
