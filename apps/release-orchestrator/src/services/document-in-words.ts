import type { ReleaseDocument } from '../contract.ts';

/** A document as markdown: what is approved, with every digest in full. */
export function documentInWords(document: ReleaseDocument, digest: string): string {
  const { release, requestedBy, deployables, environments } = document;
  const lines = [
    `# Release ${release}`,
    '',
    `Requested by ${plain(requestedBy)}. Digest of this document: \`${digest}\``,
    '',
    '| deployable | source | digest of the source | artifact |',
    '|---|---|---|---|',
    ...deployables.map(
      ({ name, source, sourceDigest, artifact }) => `| ${name} | ${source} | \`${sourceDigest}\` | \`${artifact}\` |`,
    ),
    '',
    '| environment | deployable | configuration |',
    '|---|---|---|',
    ...environments.flatMap(({ environment, set }) =>
      Object.entries(set).map(([name, { config }]) => `| ${environment} | ${name} | \`${config}\` |`),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** A name of a person, without what markdown would take for its own. */
const plain = (name: string): string => name.replace(/[\\`*_[\]<>|#]/g, '\\$&');
