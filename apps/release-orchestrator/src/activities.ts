import { Context } from '@temporalio/activity';
import type { Approval, Environment, ReleaseDocument, Version, VersionSet } from './contract.ts';
import { failureTypes } from './contract.ts';
import { attempt, attemptLong, fail, refusalOf } from './services/attempt.ts';
import type { Claim } from './services/claims.ts';
import type { RollbackOrder } from './services/records.ts';
import { refusalTypes, type Services } from './services.ts';

/** What every step of a deployment answers. */
export interface Done {
  /** The attempt that has succeeded, from 1. */
  attempts: number;
}

/** Not whether there was anything to do: that depends on how often the step has run, and an answer must not. */
const done = (): Done => ({ attempts: Context.current().info.attempt });

interface Built {
  source: string;
  sourceDigest: string;
}
type OnHost = { environment: Environment };
type Switch = { operation: string; environment: Environment; generation: number };

/**
 * The only place where this app touches the world. Every activity may run more than once, and late. Those that deploy look
 * first, act only if they have to, and look again; what switches an environment carries the generation that makes it harmless
 * when it is late.
 */
export function createActivities({ builder, artifacts, configs, environments, records }: Services) {
  /** Builds what is not there, with a heart that beats. */
  const build = (order: Built) =>
    attemptLong(async (signal, tell) => {
      const { artifact } = await builder.build({ ...order, signal, onProgress: tell });
      return { artifact };
    });

  return {
    beginRelease: (release: { release: string; requestedBy: string; at: string }) =>
      attempt(() => records.begin(release)),
    gatherSource: ({ source }: { source: string }) => attemptLong(() => builder.gather(source)),
    gatherConfig: ({ deployable, environment }: { deployable: string; environment: Environment }) =>
      attempt(async () => {
        // Refused now rather than after an approval.
        environments.of(environment);
        return { hash: (await configs.current(deployable, environment)).hash };
      }),
    build,
    keepDocument: (document: ReleaseDocument) => attempt(() => records.keepDocument(document)),
    decide: (decision: { release: string; approval: Approval }) => attempt(() => records.decide(decision)),
    endRelease: (ending: { release: string; status: string; at: string }) => attempt(() => records.end(ending)),
    planRollback: (rollback: RollbackOrder) => attempt(() => records.planRollback(rollback)),

    /** What was approved, built again if store and host have lost it. A rollback has no source to build it from. */
    async findBuild({
      environment,
      artifact,
      from,
    }: OnHost & { artifact: string; from?: Built | undefined }): Promise<Done> {
      const has = (signal: AbortSignal) => environments.of(environment).hasArtifact(artifact, signal);
      if (await attempt(async (signal) => (await artifacts.has(artifact)) || (await has(signal)))) return done();
      const rebuilt = from && (await build(from));
      if (rebuilt?.artifact === artifact) return done();
      const what = rebuilt ? `a build gives ${rebuilt.artifact} now` : 'it is not in the store any more';
      throw fail(failureTypes.notAsApproved, `artifact: ${artifact} cannot be had: ${what}`);
    },

    gatherArtifact: ({ environment, artifact }: OnHost & { artifact: string }) =>
      attempt(async (signal) => {
        const has = () => environments.of(environment).hasArtifact(artifact, signal);
        await unlessThere(artifacts.get(artifact), has);
        return done();
      }),
    gatherConfigOf: ({ environment, config }: OnHost & { config: string }) =>
      attempt(async (signal) => {
        const has = () => environments.of(environment).hasConfig(config, signal);
        await unlessThere(configs.get(config), has);
        return done();
      }),

    deployArtifact: ({ environment, artifact }: { environment: Environment; artifact: string }) =>
      attemptLong(async (signal) => {
        const host = environments.of(environment);
        if (await host.hasArtifact(artifact, signal)) return done();
        await host.putArtifact(artifact, await artifacts.get(artifact), signal);
        if (await host.hasArtifact(artifact, signal)) return done();
        throw fail(failureTypes.unavailable, `${environment} does not have artifact ${artifact} after its upload`);
      }),

    updateConfig: ({ environment, config }: { environment: Environment; config: string }) =>
      attempt(async (signal) => {
        const host = environments.of(environment);
        if (await host.hasConfig(config, signal)) return done();
        await host.putConfig(await configs.get(config), signal);
        if (await host.hasConfig(config, signal)) return done();
        throw fail(failureTypes.unavailable, `${environment} does not have config ${config} after its upload`);
      }),

    verifyInstalled: ({ environment, version }: { environment: Environment; version: Version }) =>
      attempt(async (signal) => {
        const host = environments.of(environment);
        const [artifact, config] = await Promise.all([
          host.hasArtifact(version.artifact, signal),
          host.hasConfig(version.config, signal),
        ]);
        if (artifact && config) return done();
        const missing = [artifact ? [] : 'artifact', config ? [] : 'config'].flat().join(' and ');
        throw fail(failureTypes.missingParts, `${environment} does not have the ${missing} any more`);
      }),

    claim: (claim: Claim) => attempt(async () => ({ ...(await records.claim(claim)), ...done() })),

    /** @returns all that the environment serves */
    activate: ({ environment, generation, release, set, others }: Switch & Activation) =>
      attempt(async (signal) => {
        // Not looked at before: the host alone knows whether this generation is still welcome, and the same again is harmless.
        const after = await environments.of(environment).activate({ generation, release, set, others }, signal);
        return { ...done(), set: after.set };
      }),

    /** Asks the environment what it really serves. That it is ill is an answer, and no failure. */
    verify: ({ environment, generation, set }: Pick<Switch, 'environment' | 'generation'> & { set: VersionSet }) =>
      attempt(async (signal): Promise<Done & { verdict: 'well' | 'ill' | 'superseded'; problems: string[] }> => {
        const host = environments.of(environment);
        const problems = await Promise.all(
          Object.entries(set).map(async ([name, version]) => wrongWith(name, version, await host.served(name, signal))),
        );
        const ill = problems.flat();
        // Looked at afterwards: what was seen may be of another generation already.
        const { generation: newest } = await host.state(signal);
        if (newest > generation) return { ...done(), verdict: 'superseded', problems: [] };
        return { ...done(), verdict: ill.length === 0 ? 'well' : 'ill', problems: ill };
      }),

    /** The set is what a roll-back leads to from now on. @returns what the records say: it may be superseded */
    markGood: ({ environment, generation, set, at }: Pick<Switch, 'environment' | 'generation'> & Settling) =>
      attempt(async (signal) => {
        await environments.of(environment).markGood(generation, signal);
        await records.settle({ environment, generation, status: 'good', set, at });
        return done();
      }),

    /**
     * Whatever of this operation has arrived, or arrives later: the environment serves what was good before, or what somebody
     * newer gave it. `good` if it had been found good, for then it is too late.
     * @returns with the generation that the operation had got
     */
    rollBack: ({ operation, environment, at }: { operation: string; environment: Environment; at: string }) =>
      attempt(async (signal): Promise<RolledBack> => {
        const claimed = await records.withdraw({ operation });
        if (!claimed) return { ...done(), status: 'untouched' };
        const { generation } = claimed;
        const settle = async (status: 'rolled-back' | 'superseded' | 'good', set?: VersionSet) => {
          await records.settle({ environment, generation, status, set, at });
          return { ...done(), status, generation };
        };
        try {
          const host = environments.of(environment);
          const after = await host.rollBack(generation, signal).catch((error) => {
            if (refusalOf(error) === refusalTypes.olderGeneration) return undefined;
            throw error;
          });
          const { lastGood } = after ?? (await host.state(signal));
          // Also where somebody newer is being tried, for that may lead back to it.
          if (lastGood?.generation === generation) return await settle('good', lastGood.set);
          return await settle(after ? 'rolled-back' : 'superseded');
        } catch (error) {
          // No is no answer here, such as that of a worker which does not know this environment: another one may.
          if (refusalOf(error)) throw fail(failureTypes.unavailable, (error as Error).message, error as Error);
          throw error;
        }
      }),
  };
}

interface RolledBack extends Done {
  status: 'untouched' | 'rolled-back' | 'superseded' | 'good';
  /** Missing if it had got none. */
  generation?: number;
}
interface Activation {
  release: string;
  set: VersionSet;
  others: 'keep' | 'remove';
}
interface Settling {
  set: VersionSet;
  /** ISO 8601, the workflow's time. */
  at: string;
}

/** What a host has, whole, need not be kept any more. @throws what `kept` throws otherwise */
async function unlessThere(kept: Promise<unknown>, isThere: () => Promise<boolean>): Promise<void> {
  try {
    await kept;
  } catch (error) {
    if (!refusalOf(error) || !(await isThere())) throw error;
  }
}

/** In words, what is not as it should be with a deployable that is served. */
function wrongWith(
  name: string,
  expected: Version,
  served: (Version & { isHealthy: boolean; reason?: string | undefined }) | undefined,
): string[] {
  if (!served) return [`${name} is not served`];
  const wrong: string[] = [];
  if (served.artifact !== expected.artifact) wrong.push(`${name} serves artifact ${served.artifact}`);
  if (served.config !== expected.config) wrong.push(`${name} serves config ${served.config}`);
  if (!served.isHealthy) wrong.push(`${name} is not healthy: ${served.reason ?? 'without a reason'}`);
  return wrong;
}

export type Activities = ReturnType<typeof createActivities>;
