import { createPool } from '@repo/operations';
import { z } from 'zod';
import { artifactFolder } from './services/artifact-folder.ts';
import { createBuilder } from './services/builder.ts';
import { configFolder } from './services/config-folder.ts';
import { environmentsConfig, environmentsOverHttp } from './services/environment-client.ts';
import { createRecords, type Records } from './services/records.ts';

export { Refused, refusalTypes } from './services/refused.ts';

/** The outside world of this app. All of it may be asked again for the same thing, and says no with `Refused`. */
export interface Services {
  builder: Builder;
  artifacts: ArtifactStore;
  configs: ConfigStore;
  environments: Environments;
  /** What was released where, by whom: the app's own database. */
  records: Records;
  close(): Promise<void>;
}

/** SHA-256 of what it names, as 64 lower-case hexadecimal digits. */
export type Digest = string;

/** What lies in a folder of sources. */
export interface SourceFacts {
  /** Of the names and contents of all files, and of nothing else: not of times, modes, or where the folder is. */
  digest: Digest;
  files: number;
  bytes: number;
}

export interface BuildOrder {
  /** Path of a folder, below the folder of all sources. */
  source: string;
  /** What `gather` said, so that what was documented is what is built. */
  sourceDigest: Digest;
  /** Told after each file: a heartbeat can carry it. */
  onProgress?: (progress: BuildProgress) => void;
  /** Ends the work in between two files, with the signal's reason. */
  signal?: AbortSignal;
}

export interface BuildProgress {
  done: number;
  of: number;
  /** The file that was built last. */
  file: string;
}

export interface Built {
  artifact: Digest;
  /** False if it was there already. */
  isNew: boolean;
}

/** Makes artifacts of folders with static web files. */
export interface Builder {
  /** Reads a source as it is now. Refuses with `invalidSource`, and the file in the message. */
  gather(source: string): Promise<SourceFacts>;
  /** The artifact that a source was built to before, if the store has it, whole; undefined if it has to be built. */
  find(sourceDigest: Digest): Promise<Digest | undefined>;
  /**
   * Builds, unless the store has what these very files give, and keeps it there. The same files give the same digest
   * wherever and whenever they are built. Refuses with `invalidSource` or `sourceChanged`.
   */
  build(order: BuildOrder): Promise<Built>;
}

/** Keeps archives by their digest. What is kept never changes; two who keep the same at once do no harm. */
export interface ArtifactStore {
  /** Whether it is there, whole: every byte is looked at. */
  has(digest: Digest): Promise<boolean>;
  /** Once this is done it survives a crash; until then nobody sees it. Mends what is damaged. */
  put(archive: Uint8Array): Promise<Digest>;
  /** Refuses with `unknownDigest`, or with `digestMismatch` where it is damaged. */
  get(digest: Digest): Promise<Buffer>;
  /** Notes what a build gave; `recipe` is everything that decides about it. The last note counts. */
  note(recipe: Digest, artifact: Digest): Promise<void>;
  /** What a build of this recipe gave, if it is there, whole. */
  find(recipe: Digest): Promise<Digest | undefined>;
}

/** The values of one deployable in one environment, by name. */
export interface Config {
  /** Of the values, in whatever order they are written. */
  hash: Digest;
  values: Record<string, string>;
}

/** Keeps configurations by their hash, beside the ones that people edit. */
export interface ConfigStore {
  /**
   * What is configured now; it is kept under its hash from then on, whatever becomes of the file.
   * Refuses with `invalidConfig`, and the field: also where there is none.
   */
  current(deployable: string, environment: string): Promise<Config>;
  /** What `current` has given once. Refuses with `unknownDigest`, or with `digestMismatch` where it is damaged. */
  get(hash: Digest): Promise<Config>;
}

/** One deployable as it is served. */
export interface Deployed {
  artifact: Digest;
  /** The hash of its configuration. */
  config: Digest;
}

/** By the names of the deployables. */
export type DeployedSet = Record<string, Deployed>;

export interface EnvironmentState {
  environment: string;
  /** The newest that the host knows of; 0 before the first one. An older one is refused. */
  generation: number;
  /** Of the newest generation; missing before the first one, and where only its rolling back has arrived. */
  release?: string;
  /** `active`: being served, not yet found good. `rolled-back`: the last good set is served instead. */
  status: 'empty' | 'active' | 'good' | 'rolled-back';
  /** What is served now: all deployables, also those of earlier releases. */
  set: DeployedSet;
  /** What a rolling back leads to; missing if nothing was ever good. */
  lastGood?: { generation: number; release: string; set: DeployedSet };
}

export interface Activation {
  /** Issued once for each activation, higher than all before it in this environment. */
  generation: number;
  release: string;
  set: DeployedSet;
  /**
   * The deployables that the set does not name. `keep`, the default: they stay as they are in the last good set. `remove`:
   * the set is all there is.
   */
  others?: 'keep' | 'remove';
}

/** What a deployable answers over HTTP, worked out from the bytes that are served. */
export interface Served extends Deployed {
  isHealthy: boolean;
  /** Why it is not healthy. */
  reason?: string;
}

/** One environment: a host that serves sets of deployables. What it is asked is safe to be asked again. */
export interface EnvironmentHost {
  name: string;
  /** Where its deployables are: `{url}/{deployable}/`. */
  url: string;
  state(signal: AbortSignal): Promise<EnvironmentState>;
  /** Whether a version is unpacked there, every byte as it should be. */
  hasArtifact(digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Unpacks a version beside the others. Refuses with `digestMismatch`, `invalidArchive`, `tooLarge`. */
  putArtifact(digest: Digest, archive: Uint8Array, signal: AbortSignal): Promise<void>;
  hasConfig(hash: Digest, signal: AbortSignal): Promise<boolean>;
  /** Refuses with `digestMismatch`, `invalidConfig`. */
  putConfig(config: Config, signal: AbortSignal): Promise<void>;
  /**
   * Switches to a set, whole and at once; the same again is harmless. Refuses with `olderGeneration`, `rolledBack`,
   * `generationMismatch`, and with `missingParts` if something was not uploaded, or long ago: the host throws away what
   * is not in use and has not been uploaded or asked for (`hasArtifact`, `hasConfig`) for an hour.
   */
  activate(activation: Activation, signal: AbortSignal): Promise<EnvironmentState>;
  /** The set of that generation is what a rolling back leads to from now on. Refuses with `olderGeneration`, `rolledBack`, `notActivated`. */
  markGood(generation: number, signal: AbortSignal): Promise<EnvironmentState>;
  /**
   * Afterwards the last good set is served, or nothing if there never was one, and that generation does not get in any
   * more, not even if its activation arrives only now. Refuses with `olderGeneration`. A generation that was found good before is
   * what it leads to, so it stays.
   */
  rollBack(generation: number, signal: AbortSignal): Promise<EnvironmentState>;
  /** What is really served; undefined if there is no such deployable. */
  served(deployable: string, signal: AbortSignal): Promise<Served | undefined>;
}

/** The environments that this deployment knows, by their names. */
export interface Environments {
  names: readonly string[];
  /** @throws Refused `unknownEnvironment` */
  of(name: string): EnvironmentHost;
}

const folder = z.string('must be the path of a folder').min(1, 'must be the path of a folder');

/** From the environment. */
export const servicesConfig = z.object({
  /** Sources are named by their path below it. */
  SOURCES_DIR: folder,
  /** Configurations, as people edit them: `{environment}/{deployable}.json`. */
  CONFIGS_DIR: folder,
  /** Artifacts and configurations that were released, by their digests. */
  STORE_DIR: folder,
  /** `{"dev":{"url":"http://127.0.0.1:9401","token":"…"}}` */
  ENVIRONMENTS: environmentsConfig,
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a URL of PostgreSQL' }),
});

/** @param onDatabaseLost told of connections that break while nobody uses them; the next call opens another one */
export function createServices(
  config: z.infer<typeof servicesConfig>,
  onDatabaseLost: (error: Error) => void = () => {},
): Services {
  // Together less than an activity has, so that its failure says what did not answer.
  const timeouts = { connectionTimeoutMillis: 2_000, statement_timeout: 2_200, query_timeout: 2_500 };
  const pool = createPool({ connectionString: config.DATABASE_URL, ...timeouts }, onDatabaseLost);
  const artifacts = artifactFolder(`${config.STORE_DIR}/artifacts`);
  return {
    artifacts,
    builder: createBuilder(config.SOURCES_DIR, artifacts),
    configs: configFolder(config.CONFIGS_DIR, `${config.STORE_DIR}/configs`),
    environments: environmentsOverHttp(config.ENVIRONMENTS),
    records: createRecords(pool),
    close: () => pool.end(),
  };
}
