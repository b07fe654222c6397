import { z } from 'zod';
import { environments } from './names.ts';

/** What can be asked for, and what is wrong with it, by field. */

const text = (longest: number) =>
  z
    .string('must be text')
    .max(longest, `must have at most ${longest} characters`)
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters')
    .trim()
    .min(1, 'must not be empty');
const releaseName = z
  .string('must be text')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits, ".", "_" and "-", a letter or digit first',
  );
const digest = z.string('must be text').regex(/^[0-9a-f]{64}$/, 'must be 64 digits of a SHA-256, 0-9 and a-f');

const deployableFields = z.object({
  /** It is part of the addresses under which an environment serves it. */
  name: z
    .string('must be text')
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 small letters, digits and "-", a letter or digit first'),
  /** A folder inside the folder of all sources. */
  source: z
    .string('must be text')
    .max(200, 'must have at most 200 characters')
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/,
      'must be a path inside the sources, such as deployables/hello-web, without spaces, ".." and a "/" at its ends',
    ),
});

const { name: deployableName, source } = deployableFields.shape;
const version = z.object({ artifact: digest, config: digest });
const environment = z.enum(environments, `must be one of ${environments.join(', ')}`);
const built = z.object({ name: deployableName, source, sourceDigest: digest, artifact: digest });

/** What a release tells its part for one environment, and what that one tells its part for one deployable. */
const environmentFields = z.object({
  environment,
  release: releaseName,
  set: z.record(deployableName, version),
  deployables: z.array(built),
});
const deployFields = z.object({
  environment,
  deployable: deployableName,
  version,
  from: built.pick({ source: true, sourceDigest: true }).optional(),
});

/** What a part tells the whole. */
export const toldProblem = z.object({
  where: z.string(),
  problem: z.object({ type: z.string(), message: z.string() }).optional(),
});

const mostDeployables = 20;
/** The length first: what is far too long is refused in one line, and not in one for each entry. */
const listOf = <Entry extends z.ZodType>(entry: Entry, most: number) =>
  z
    .array(z.unknown(), 'must be a list')
    .min(1, 'must have at least one entry')
    .max(most, `must have at most ${most} entries`)
    .pipe(z.array(entry));

const longestWait = 30 * 24 * 60 * 60; // seconds

const releaseFields = z.object({
  release: releaseName,
  deployables: listOf(deployableFields, mostDeployables),
  environments: listOf(environment, environments.length),
  requestedBy: text(100),
  /** Seconds: an approval that has not come by then does not come any more. */
  approvalWithin: z
    .int('must be a whole number of seconds')
    .min(1, 'must be at least 1')
    .max(longestWait, `must be at most ${longestWait}, 30 days`)
    .default(24 * 60 * 60),
});

export type ReleaseRequest = z.output<typeof releaseFields>;
/** As it may be sent: what has a default can be left out. */
export type ReleaseInput = Omit<ReleaseRequest, 'approvalWithin'> & { approvalWithin?: number | undefined };

/** What concerns more than one entry: no doubles, and the rules of promotion. */
const coherent = ({ deployables, environments: into }: ReleaseRequest, context: z.RefinementCtx): void => {
  const refuse = (field: keyof ReleaseRequest, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  const twice = (names: string[]) => names.find((name, index) => names.indexOf(name) < index);
  const double = { deployables: twice(deployables.map(({ name }) => name)), environments: twice(into) };
  if (double.deployables !== undefined) refuse('deployables', `must not have ${double.deployables} twice`);
  if (double.environments !== undefined) refuse('environments', `must not have ${double.environments} twice`);
  const ranks = into.map((environment) => environments.indexOf(environment));
  if (ranks.some((rank, index) => rank < (ranks[index - 1] ?? 0))) {
    refuse('environments', `must be in the order of promotion: ${environments.join(', ')}`);
  }
  if (into.includes('prod') && !into.includes('qc')) refuse('environments', 'must have qc if they have prod');
};

const decisionFields = z.object({
  by: text(100),
  /** The digest of the document that was read; with it, no other one is approved by accident. */
  document: digest.optional(),
});
/** Who approves or rejects. It is not proved here: a door that knows who is at it has to fill it in. */
export type Decision = z.output<typeof decisionFields>;

const rollbackFields = z.object({
  /** Makes the rollback one operation, however often it is sent. */
  id: releaseName,
  environment,
  /**
   * The generation whose set is to be served again; left out, the last good one if something newer is being tried, and
   * otherwise what was good before that one.
   */
  to: z.int('must be the number of a generation').min(1, 'must be at least 1').optional(),
  requestedBy: text(100),
});
export type RollbackRequest = z.output<typeof rollbackFields>;

/** For the doors (command line, HTTP): every field checked, unknown fields refused. */
export const atTheDoor = {
  release: releaseFields.strict().superRefine(coherent),
  decision: decisionFields.strict(),
  rollback: rollbackFields.strict(),
  name: z.strictObject({ release: releaseName }),
};
/** For the workflow: the same rules, but a field that only a newer client knows is ignored. */
export const inTheWorkflow = {
  release: releaseFields.superRefine(coherent),
  decision: decisionFields,
  rollback: rollbackFields,
  environment: environmentFields,
  deploy: deployFields,
};

/** The fields in which two requests differ; none if they ask for the same release. */
export const differingFields = <Request extends ReleaseRequest | RollbackRequest>(
  one: Request,
  other: Request,
): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (field) => JSON.stringify(one[field as keyof Request]) !== JSON.stringify(other[field as keyof Request]),
  );

const cancelRequest = z
  .object({ requestedAt: z.iso.datetime({ offset: true }).optional(), by: text(100).optional() })
  .optional();

/** Who asks for a cancellation, and when, as ISO 8601; what is left out is not known. */
export type CancelRequest = z.input<typeof cancelRequest>;

/** As far as it can be read; when it was asked for is never after `now`, in milliseconds since the epoch. */
export function cancelledBy(request: CancelRequest, now: number): { requestedAt: string; by?: string } {
  const { requestedAt, by } = cancelRequest.safeParse(request).data ?? {};
  const at = requestedAt === undefined ? now : Math.min(now, Date.parse(requestedAt));
  return { requestedAt: new Date(at).toISOString(), ...(by === undefined ? {} : { by }) };
}
