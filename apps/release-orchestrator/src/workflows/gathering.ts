import type { Approval, DocumentRecord, ReleaseDocument, VersionSet } from '../contract.ts';
import { goOn, type Progress } from './release-state.ts';
import { long, persistently, quick } from './steps.ts';

/**
 * Finds out what exactly is to be released, builds what is not built yet, and writes it down: what is approved later is this,
 * digest by digest.
 * @returns with the decision, if there is one: before a reset it was made on this very document
 * @throws StepFailed if a source or a config cannot be released; no environment has been touched
 */
export async function gather({ state, summary }: Progress): Promise<{ document: DocumentRecord; decided?: Approval }> {
  const { release, requestedBy, deployables, environments } = state.request;
  const begun = { release, requestedBy, at: summary.began };
  await persistently(state, 'records', 'Begin in the records', (options) =>
    quick.beginRelease.executeWithOptions(options, [begun]),
  );

  const sources = await inParallel(deployables, async ({ name, source }) => {
    const gathered = await persistently(state, name, `Gather source ${source}`, (options) =>
      long.gatherSource.executeWithOptions(options, [{ source }]),
    );
    return { name, source, sourceDigest: gathered.digest };
  });
  const configs = await inParallel(
    environments.flatMap((environment) => deployables.map(({ name }) => ({ environment, name }))),
    async ({ environment, name }) => {
      const where = `${environment}/${name}`;
      const { hash } = await persistently(state, where, `Gather config of ${where}`, (options) =>
        quick.gatherConfig.executeWithOptions(options, [{ deployable: name, environment }]),
      );
      return { environment, name, hash };
    },
  );

  goOn(state, 'building');
  const built = await inParallel(sources, async ({ name, source, sourceDigest }) => {
    const { artifact } = await persistently(state, name, `Build ${name} unless it is built`, (options) =>
      long.build.executeWithOptions(options, [{ source, sourceDigest }]),
    );
    return { name, source, sourceDigest, artifact };
  });

  goOn(state, 'documenting');
  const setOf = (environment: string): VersionSet =>
    Object.fromEntries(
      built.map(({ name, artifact }) => {
        const config = configs.find((one) => one.environment === environment && one.name === name)?.hash ?? '';
        return [name, { artifact, config }];
      }),
    );
  const document: ReleaseDocument = {
    release,
    requestedBy,
    deployables: built,
    environments: environments.map((environment) => ({ environment, set: setOf(environment) })),
  };
  const { approval, ...record } = await persistently(state, 'records', 'Write down what is to be released', (options) =>
    quick.keepDocument.executeWithOptions(options, [document]),
  );
  state.document = record;
  Object.assign(summary, { document: record.digest, deployables: built });
  return { document: record, ...(approval ? { decided: approval } : {}) };
}

/** All to their ends, so that nothing is under way any more when the first refusal is thrown. */
async function inParallel<One, Result>(all: One[], each: (one: One) => Promise<Result>): Promise<Result[]> {
  const running = all.map(each);
  await Promise.allSettled(running);
  return Promise.all(running);
}
