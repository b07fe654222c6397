import type { EnvironmentEnding, Reason, ReleaseEnding, ReleaseSummary, StepReport } from '../contract.ts';

/** A release's summary as markdown, for people. */
export function summaryInWords(status: ReleaseEnding['status'], summary: ReleaseSummary, reason?: Reason): string {
  const { release, requestedBy, approval, document, cancelled, environments, began, ended } = summary;
  const lines = [
    `# Release ${release}: ${status}`,
    '',
    ...(reason ? [`${reason.type}: ${plain(reason.message)}`, ''] : []),
    `- requested by ${plain(requestedBy)}, ${began} to ${ended} (${lasted(began, ended)})`,
    ...(document ? [`- document \`${document}\``] : []),
    ...(approval ? [`- ${approval.decision}${by(approval.by)} at ${approval.at}`] : []),
    ...(cancelled ? [`- ${cancellationInWords(status, cancelled)}`] : []),
    ...environments.flatMap(environmentInWords),
  ];
  return `${lines.join('\n')}\n`;
}

/** One that came after the last switch changes nothing any more. */
const cancellationInWords = (status: ReleaseEnding['status'], cancelled: { by?: string; requestedAt: string }) =>
  status === 'cancelled'
    ? `cancelled${by(cancelled.by)} at ${cancelled.requestedAt}`
    : `a cancellation${by(cancelled.by)} at ${cancelled.requestedAt} came too late`;

function environmentInWords(ending: EnvironmentEnding): string[] {
  const { environment, status, generation, isRolledBack, deploys, steps, reason, began, ended } = ending;
  const as = generation === undefined ? '' : `, generation ${generation}`;
  const back = isRolledBack ? ', rolled back to what was good before' : '';
  return [
    '',
    `## ${environment}: ${status}${as}${back}`,
    '',
    ...(reason ? [`${reason.type}: ${plain(reason.message)}`, ''] : []),
    `${began} to ${ended} (${lasted(began, ended)})`,
    '',
    ...(steps.length > 0 ? [`Steps: ${steps.map(stepInWords).join(', ')}`, ''] : []),
    '| deployable | | artifact | configuration | steps |',
    '|---|---|---|---|---|',
    ...deploys.map(({ deployable, status: became, version, steps: own }) => {
      const digests = `\`${version.artifact}\` | \`${version.config}\``;
      return `| ${deployable} | ${became} | ${digests} | ${own.map(stepInWords).join(', ')} |`;
    }),
  ];
}

const stepInWords = ({ step, attempts, milliseconds }: StepReport): string =>
  `${step} ${milliseconds} ms${attempts > 1 ? ` (${attempts} attempts)` : ''}`;

const by = (name: string | undefined): string => (name === undefined ? '' : ` by ${plain(name)}`);

/** Without what markdown would take for its own. */
const plain = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, '\\$&');

const lasted = (began: string, ended: string): string =>
  `${((Date.parse(ended) - Date.parse(began)) / 1000).toFixed(1)} s`;
