import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

let installed = false;

/**
 * Keeps the SDK from logging what is no news in a test: state changes, and what the time-skipping server cannot do. Call
 * it before anything else of the SDK; a second call changes nothing.
 *
 * @param silent also without errors, for tests and commands that say themselves what went wrong
 */
export function quietRuntime({ silent = false }: { silent?: boolean } = {}): void {
  if (installed) return;
  installed = true;
  const logger = silent ? new DefaultLogger('ERROR', () => {}) : new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { filter: silent ? 'off' : filter } } });
}

/** Of the SDK's core: warnings, as of a workflow that does not replay, but none of a worker's start. */
const filter = [
  makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }),
  'temporalio_sdk_core::worker=ERROR',
  'temporalio_sdk_core::worker::workflow=WARN',
].join();
