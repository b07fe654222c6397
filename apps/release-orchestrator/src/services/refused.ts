/** Why one of this app's services says no. To ask again for the same thing gets the same no; programs branch on these. */
export const refusalTypes = {
  /** The files of a deployable break a rule, or there are none. */
  invalidSource: 'InvalidSource',
  /** The files are other ones than those that were gathered and documented. */
  sourceChanged: 'SourceChanged',
  /** There is no configuration of that deployable for that environment, or it breaks a rule. */
  invalidConfig: 'InvalidConfig',
  /** No artifact or configuration is kept under that digest. */
  unknownDigest: 'UnknownDigest',
  /** The bytes are not those that the digest promises. For an artifact that is kept: build it again. */
  digestMismatch: 'DigestMismatch',
  /** The archive is not one that a host takes: a link, a path that leads out, a file that its manifest does not name. */
  invalidArchive: 'InvalidArchive',
  tooLarge: 'TooLarge',
  unknownEnvironment: 'UnknownEnvironment',
  /** Somebody has claimed the environment since, with a newer generation. */
  olderGeneration: 'OlderGeneration',
  /** That generation was rolled back, before or after it arrived: it does not come back. */
  rolledBack: 'RolledBack',
  /** The same generation was activated with another set. */
  generationMismatch: 'GenerationMismatch',
  /** The generation that is meant has never been activated. */
  notActivated: 'NotActivated',
  /** The host does not have all that the set names: upload it (again), and activate then. */
  missingParts: 'MissingParts',
  /** A request that no version of this app should send. */
  invalidRequest: 'InvalidRequest',
} as const;

export type RefusalType = (typeof refusalTypes)[keyof typeof refusalTypes];

/** A no for good, as opposed to no answer, which is any other error. */
export class Refused extends Error {
  override name = 'Refused';
  readonly type: RefusalType;
  /** What it is about, such as `source` or `values.greeting`. */
  readonly field: string | undefined;

  constructor(type: keyof typeof refusalTypes, message: string, field?: string, options?: ErrorOptions) {
    super(message, options);
    this.type = refusalTypes[type];
    this.field = field;
  }
}
