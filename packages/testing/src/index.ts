import './app-servers.ts';

export { type DoomedWorkers, doomedWorkers } from './doomed-workers.ts';
export {
  joinTestStack,
  postgresUrl,
  realEnvironment,
  spicedb,
  temporalAddress,
  timeSkippingEnvironment,
  workflowBundle,
} from './environment.ts';
export { complaints, describeEveryActivity, type EveryActivity } from './every-activity.ts';
export { faultsAroundActivities } from './fault-interceptor.ts';
export { type Fault, Faults, type Reach } from './faults.ts';
export { describeFence } from './fence.ts';
export { inThisThread } from './in-this-thread.ts';
export { countActivations, dieAt, type KillPoint, killPoints, sample } from './kill-points.ts';
export { quietRuntime } from './quiet-runtime.ts';
export { replayHistory, replayRecordedHistories } from './replay.ts';
export { replayAll } from './replay-all.ts';
export { replayUnder } from './replay-under.ts';
export { type Repetition, type RunEach, runEach } from './run-each.ts';
export { type TestWorker, testWorker } from './test-worker.ts';
export { type ScheduledReconciler, turnOnSchedule } from './turn-on-schedule.ts';
export { Wire } from './wire.ts';
