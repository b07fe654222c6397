import type { Progress } from '../progress.ts';
import type { StackPlaces } from './places.ts';
import { startPlatformPostgres, startPostgres } from './postgres.ts';
import type { Addresses, ProgramFile } from './protocol.ts';
import type { ServerName } from './server-facts.ts';
import type { ServerProcess } from './server-process.ts';
import { startSpiceDb } from './spicedb.ts';
import { startTemporal } from './temporal.ts';

/** What the start of a server is given. */
export interface StartContext {
  program: ProgramFile;
  places: StackPlaces;
  /** In the order of the server's facts. */
  ports: number[];
  /** Where the servers are that run already; those it requires among them. */
  addresses: Addresses;
  secret(name: string): string;
  progress: Progress;
  /** To be called with each process as soon as there is one, so that it can be ended whatever happens next. */
  onSpawn(server: ServerProcess): void;
}

/** How each server is started: resolves with where it is, once it serves. */
export const starts: { [Name in ServerName]: (context: StartContext) => Promise<Required<Addresses>[Name]> } = {
  temporal: startTemporal,
  postgres: startPostgres,
  'platform-postgres': startPlatformPostgres,
  spicedb: startSpiceDb,
};
