// For an app's command line: what it needs before anything else, and quick to load.
export {
  type AppProgram,
  appProgram,
  hinting,
  milliseconds,
  print,
  unlessStopped,
  untilStopped,
  wholeNumber,
  withClient,
} from './app-program.ts';
export { runEveryScenario } from './every-scenario.ts';
export { runStart, type StartApp } from './start.ts';
export { withTemporal } from './with-temporal.ts';
