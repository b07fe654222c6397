import type {
  Approval,
  EnvironmentEnding,
  Problem,
  Reason,
  ReleaseEnding,
  ReleaseOutcome,
  ReleaseState,
  RollbackEnding,
  VersionSet,
} from '../contract.ts';
import { command } from './release-lookup.ts';
import type { ListedRelease } from './releases.ts';

/** What the commands print of releases, for people. */

/** The first digits of a digest, as `docker` and `git` show them. */
export const short = (digest: string): string => digest.slice(0, 12);

export const seconds = (time: string): string => time.slice(0, 19).replace('T', ' ');

export function outcomeInWords(outcome: ReleaseOutcome): string {
  const name = `Release ${outcome.release}`;
  if (outcome.status === 'waiting-for-approval') {
    return [
      `${name} is built and documented, and waits for approval until ${outcome.until}.`,
      `  ${command(`pnpm --filter release-orchestrator release document ${outcome.release}`)}    # what would be released`,
      `  ${command(`pnpm --filter release-orchestrator release approve ${outcome.release} --by carol --document ${outcome.document}`)}`,
    ].join('\n');
  }
  const { status, reason, summary } = outcome;
  const good = summary.environments.filter((one) => one.status === 'good').map(({ environment }) => environment);
  const stay = good.length > 0 ? ` ${good.join(', ')} ${good.length > 1 ? 'serve' : 'serves'} it.` : '';
  const stopped = summary.environments.find((one) => one.status !== 'good');
  const why = reasonOf(stopped) ?? reason;
  const where = stopped && !why?.message.startsWith(`${stopped.environment}:`) ? ` at ${stopped.environment}` : '';
  switch (status) {
    case 'released':
      return `${name} is released:${stay}`;
    case 'rejected':
      return `${name} was rejected by ${summary.approval?.by ?? 'somebody'}; no environment was touched.`;
    case 'expired':
      return `${name} was not approved in time; no environment was touched.`;
    case 'refused':
      return `${name} is refused, and no environment was touched: ${reasonInWords(why)}.`;
    case 'superseded':
      return `${name} was stopped${where}, which has a newer release.${stay}`;
    case 'cancelled':
      return `${name} is cancelled${where}; ${stopped ? `${stopped.environment} has what it had before` : 'nothing was left in the middle'}.${stay}`;
    case 'failed': {
      const back = stopped ? ' It has what it had before.' : '';
      return `${name} has failed${where}: ${reasonInWords(why)}.${back}${stay}`;
    }
  }
}

const reasonOf = (ending: EnvironmentEnding | undefined): Reason | undefined =>
  ending?.reason ?? ending?.deploys.map((deploy) => ('reason' in deploy ? deploy.reason : undefined)).find(Boolean);

/** @param where has been said already */
const reasonInWords = (reason: Reason | undefined, where = '') =>
  (reason?.message ?? 'for no reason that is known').replace(new RegExp(`^${where}: `), '');

/** A line for each environment that was reached; `release summary` has every step, and the digests in full. */
export function summaryLines({ summary }: ReleaseEnding): string[] {
  const { approval, began, ended, environments } = summary;
  const line = ({ environment, status, generation, set, began, ended }: EnvironmentEnding) =>
    `${environment.padEnd(5)} ${status.padEnd(10)} generation ${String(generation ?? '-').padStart(2)}  ${taken(began, ended).padStart(6)}  ${setInWords(set)}`;
  const decided = approval ? `; ${approvalInWords(approval)}` : '';
  return [`took ${taken(began, ended)}${decided}`, ...environments.map(line)];
}

const taken = (began: string, ended: string): string =>
  `${((Date.parse(ended) - Date.parse(began)) / 1000).toFixed(1)} s`;

/** One line, for `status`. */
export function statusInWords({ request, status, environments, problems, outcome }: ReleaseState): string {
  if (outcome && outcome.status !== 'waiting-for-approval') return outcomeInWords(outcome);
  const where = environments.map((one) => `${one.environment} ${one.status}`).join(', ');
  return [`Release ${request.release} is ${status}: ${where}.`, ...problems.map(problemInWords)].join('\n');
}

/** Something that keeps failing. */
const problemInWords = ({ where, message }: Problem): string =>
  `  ${where} needs attention: ${message}.\n    It is still being tried, and goes on by itself once that is mended.`;

/** What was asked for, and how far it is. */
export function showInWords(state: ReleaseState): string {
  const { request, document, approval, environments } = state;
  return [
    `${request.release}: ${request.deployables.map(({ name, source }) => `${name} from ${source}`).join(', ')}`,
    `  asked for by ${request.requestedBy}`,
    ...(document ? [`  documented as ${document.digest}`] : []),
    ...(approval ? [`  ${approvalInWords(approval)}`] : []),
    ...environments.map(({ environment, status }) => `  ${environment.padEnd(5)} ${status}`),
    state.outcome ? outcomeInWords(state.outcome) : statusInWords(state),
  ].join('\n');
}

/** Who has decided what, or until when somebody may. */
export function approvalInWords({ decision, by, at, until }: Partial<Approval> & { until?: string }): string {
  if (decision === undefined) return `waits for approval until ${until}`;
  return `${decision}${by === undefined ? '' : ` by ${by}`}${at === undefined ? '' : ` at ${seconds(at)}`}`;
}

/** @param asked whose set was asked for, if that is all that is known */
export function rollbackInWords(ending: RollbackEnding): string {
  const { environment, status, release, generation, reason } = ending;
  switch (status) {
    case 'good':
      return `${environment} serves ${release ?? 'what was good before'} again, as generation ${generation}: ${setInWords(ending.set)}.`;
    case 'refused':
      return `${environment} is not rolled back, and nothing was changed: ${reasonInWords(reason, environment)}.`;
    case 'superseded':
      return `${environment} is not rolled back: a newer release has it.`;
    case 'cancelled':
      return `The rollback of ${environment} is cancelled; it has what it had before.`;
    case 'failed':
      return `${environment} could not be rolled back, and has what it had before: ${reasonInWords(reason, environment)}.`;
  }
}

export const setInWords = (set: VersionSet): string =>
  Object.entries(set)
    .map(([deployable, { artifact, config }]) => `${deployable} ${short(artifact)} with config ${short(config)}`)
    .join(', ') || 'nothing';

export function listLine({ release, status, execution, started, startedBy = '-' }: ListedRelease): string {
  const word = status ?? 'not begun';
  const how = execution === 'RUNNING' || execution === 'COMPLETED' ? word : `${word} (${execution.toLowerCase()})`;
  return `${release.padEnd(24)}  ${how.padEnd(26)}  ${seconds(started)}  ${startedBy}`;
}
