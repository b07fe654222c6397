export { connectClient, connectWorker, taskQueue } from './connection.ts';
export {
  type FieldError,
  fieldErrors,
  InvalidInputError,
  OperatorError,
  parseInput,
  parseJson,
  readConfig,
} from './errors.ts';
export { isMain, printError, refusalIn, runProgram, runUntilStopped } from './program.ts';
export { buildWorkflowBundle, freshWorkflowBundle } from './workflow-bundle.ts';
