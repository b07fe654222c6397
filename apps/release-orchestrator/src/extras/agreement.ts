import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '../contract.ts';
import type { RecordsReader } from '../services/records-reader.ts';
import type { EnvironmentHost } from '../services.ts';

/**
 * In what an environment's host, the records, and what is really served over HTTP do not agree; nothing while a
 * deployment to it is under way, when they cannot.
 * @throws if the host or the database does not answer
 */
export async function disagreements(
  records: RecordsReader,
  host: EnvironmentHost,
  signal: AbortSignal = AbortSignal.timeout(10_000),
): Promise<string[]> {
  const environment = host.name as Environment;
  for (let look = 1; look <= 3; look++) {
    const before = await atRest(records, environment);
    const wrong = before === undefined ? [] : await compare(records, host, signal);
    // What was switched between two questions is no disagreement: it is asked again.
    if (wrong.length === 0 || (await atRest(records, environment)) === before) return wrong;
  }
  return [];
}

async function compare(records: RecordsReader, host: EnvironmentHost, signal: AbortSignal): Promise<string[]> {
  const state = await host.state(signal);
  const wrong: string[] = [];
  const all = await records.deployments({ environment: host.name as Environment, limit: 1_000 });
  const good = all.find(({ status }) => status === 'good');
  const [there, here] = [state.lastGood, good].map((one) => one && `generation ${one.generation} of ${one.release}`);
  if (there !== here) wrong.push(`its host has ${there ?? 'nothing'} as good, the records have ${here ?? 'nothing'}`);
  else if (good && !isDeepStrictEqual(state.lastGood?.set, good.set)) {
    wrong.push(`its host has another set as ${here} than the records`);
  }
  if (state.status === 'active') {
    wrong.push(`it serves generation ${state.generation} of ${state.release}, which nobody has found good`);
  }
  for (const [deployable, expected] of Object.entries(state.set)) {
    const found = await host.served(deployable, signal);
    const isSame = found?.artifact === expected.artifact && found.config === expected.config;
    if (!isSame) wrong.push(`${deployable} is not served as its host says: ${found?.reason ?? 'other digests'}`);
    else if (!found.isHealthy) wrong.push(`${deployable} is not well: ${found.reason ?? 'it does not say why'}`);
  }
  return wrong;
}

/** The newest generation that the records know of; undefined while one is under way. */
async function atRest(records: RecordsReader, environment: Environment): Promise<number | undefined> {
  // Times are the workflow's, whose clock may be ahead of this one.
  const unsettled = await records.unsettled({ before: '9999-01-01T00:00:00Z' });
  if (unsettled.some((one) => one.environment === environment)) return undefined;
  return (await records.deployments({ environment, limit: 1 }))[0]?.generation ?? 0;
}
