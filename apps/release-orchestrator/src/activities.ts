import { Context } from '@temporalio/activity';
import type { Approval, Environment, ReleaseDocument, Version, VersionSet } from './contract.ts';
import { failureTypes } from './contract.ts';
import { attempt, attemptLong, fail, refusalOf } from './services/attempt.ts';
import type { Claim } from './services/records.ts';
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
    planRollback: (rollback: { operation: string; environment: Environment; to?: number | undefined }) =>
      attempt(() => records.planRollback(rollback)),

    /** What was approved, built again if the store has lost it. A rollback has no source to build it from. */
    async findBuild({ artifact, from }: { artifact: string; from?: Built | undefined }): Promise<Done> {
      if (await attempt(() => artifacts.has(artifact))) return done();
      const rebuilt = from && (await build(from));
      if (rebuilt?.artifact === artifact) return done();
      const what = rebuilt ? `a build gives ${rebuilt.artifact} now` : 'it is not in the store any more';
      throw fail(failureTypes.notAsApproved, `artifact: ${artifact} cannot be had: ${what}`);
    },

    gatherArtifact: ({ artifact }: { artifact: string }) =>
      attempt(async () => ({ ...done(), bytes: (await artifacts.get(artifact)).byteLength })),
    gatherConfigOf: ({ config }: { config: string }) =>
      attempt(async () => ({ ...done(), values: Object.keys((await configs.get(config)).values).length })),

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
     */
    rollBack: ({ operation, environment, at }: { operation: string; environment: Environment; at: string }) =>
      attempt(async (signal): Promise<Done & { status: 'untouched' | 'rolled-back' | 'superseded' | 'good' }> => {
        const claimed = await records.withdraw({ operation });
        if (!claimed) return { ...done(), status: 'untouched' };
        const { generation } = claimed;
        const settle = async (status: 'rolled-back' | 'superseded' | 'good', set?: VersionSet) => {
          await records.settle({ environment, generation, status, set, at });
          return { ...done(), status };
        };
        try {
          const host = await environments.of(environment).rollBack(generation, signal);
          return host.lastGood?.generation === generation ? settle('good', host.set) : settle('rolled-back');
        } catch (error) {
          if (refusalOf(error) === refusalTypes.olderGeneration) return settle('superseded');
          throw error;
        }
      }),
  };
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
