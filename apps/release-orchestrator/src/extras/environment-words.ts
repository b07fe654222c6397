import type { Version } from '../contract.ts';
import type { Deployment } from '../services/records-reader.ts';
import type { EnvironmentState } from '../services.ts';
import type { Finding } from './reconcile.ts';
import { seconds, setInWords, short } from './release-words.ts';

/** What the commands print of environments, for people. */

/** A deployable: what its host was told to serve, and what it really serves. */
export interface ShownDeployable extends Partial<Version> {
  deployable: string;
  url: string;
  told: Version;
  isHealthy?: boolean;
  reason?: string;
}

export type Shown =
  | (Omit<EnvironmentState, 'environment'> & { environment: string; url: string; served: ShownDeployable[] })
  | { environment: string; url: string; noAnswer: string };

export const isWrong = ({ told, artifact, config, isHealthy }: ShownDeployable): boolean =>
  told.artifact !== artifact || told.config !== config || !isHealthy;

export function environmentInWords(shown: Shown): string {
  const { environment, url } = shown;
  const name = environment.padEnd(5);
  if ('noAnswer' in shown) return `${name} ${shown.noAnswer} (${url})`;
  if (shown.status === 'empty') return `${name} ${url}  serves nothing yet`;
  const { release, generation, status, lastGood } = shown;
  const serves = status === 'rolled-back' ? lastGood?.release : release;
  const back = status === 'rolled-back' ? `, rolled back from generation ${generation}` : '';
  const head = `${name} ${url}  ${serves ?? 'serves nothing'}${back || `, generation ${generation}, ${status}`}`;
  return [head, ...shown.served.map((one) => `      ${deployableInWords(one)}`)].join('\n');
}

function deployableInWords(one: ShownDeployable): string {
  const { deployable, url, artifact = '', config = '', isHealthy, reason } = one;
  const health = isHealthy ? 'healthy' : `not healthy: ${reason ?? 'it does not say why'}`;
  const other = isHealthy && isWrong(one) ? `, but should be ${setInWords({ [deployable]: one.told })}` : '';
  return `${deployable.padEnd(14)}  ${short(artifact)}  config ${short(config)}  ${health}${other}  ${url}`;
}

export function historyLine(one: Deployment): string {
  const { environment, generation, release, status, claimedAt, requestedBy, operation } = one;
  const how = operation.startsWith('rollback:') ? ' (rollback)' : '';
  return `${environment.padEnd(5)} ${String(generation).padStart(4)}  ${(release + how).padEnd(32)}  ${status.padEnd(12)}  ${seconds(claimedAt)}  ${requestedBy}`;
}

export function findingInWords(finding: Finding): string {
  const { action, why } = finding;
  const what = whatWasFound(finding);
  return action === 'needs attention' ? `${what} needs attention: ${why}` : `${what} ${action}: ${why}`;
}

function whatWasFound(finding: Finding): string {
  if (!('environment' in finding)) return finding.release;
  if (!('generation' in finding)) return finding.environment;
  return `${finding.environment}: generation ${finding.generation} of ${finding.release}`;
}
