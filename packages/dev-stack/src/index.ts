export { bundledProgram } from './bundled-program.ts';
export { type Child, exitWithParent, spawnChild } from './children.ts';
export { type DatabaseSpec, provisionDatabase, provisionFor, type SchemaSpec } from './database.ts';
export { type DatabaseWords, databaseTrouble } from './database-trouble.ts';
export { acquireLock } from './lock.ts';
export { describeError, OperatorError } from './operator-error.ts';
export type { ProgramName } from './programs/definitions.ts';
export { ensureProgram, type Located, locateProgram, type Program, type ProgramOptions } from './programs.ts';
export { duration, type Progress, terminalProgress } from './progress.ts';
export {
  type JoinOptions,
  joinStack,
  type ServerName,
  type SpiceDbAddress,
  type Stack,
  type TemporalAddress,
} from './stack.ts';
export { freePorts } from './stack-servers/ports.ts';
export { createStage, mended, requireOwned, type Stage, type StageWorkers } from './stage.ts';
export { BrokenPromise, type Scenario, type StartApp, type StartDefinition } from './start.ts';
export type { Session } from './start-session.ts';
export { followTimeline, type Timeline } from './timeline.ts';
export {
  activityOf,
  attemptsOf,
  expectSame,
  say,
  until,
  untilTemporalAnswers,
  type Watched,
  watch,
  webUiLink,
  workerOf,
} from './watching.ts';
