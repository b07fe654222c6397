import type { z } from 'zod';

/**
 * Something that the person at the keyboard can mend: a server that is down, a wrong key, a port that is taken.
 * Programs print `message` and `nextStep`, without a stack trace, and exit with 1.
 */
export class OperatorError extends Error {
  override name = 'OperatorError';
  readonly nextStep: string;
  constructor(message: string, nextStep: string, options?: ErrorOptions) {
    super(message, options);
    this.nextStep = nextStep;
  }
}

export interface FieldError {
  /** Path of the field, such as `passengers` or `items.0.name`; `input` for the whole. */
  field: string;
  message: string;
}

/** Input that breaks a rule; programs print one line for each field and exit with 2. Nothing has been written yet. */
export class InvalidInputError extends Error {
  override name = 'InvalidInputError';
  readonly fields: FieldError[];
  constructor(fields: FieldError[]) {
    super(fields.map(({ field, message }) => `${field}: ${message}`).join('\n'));
    this.fields = fields;
  }
}

/** What is wrong with which field of `input`, from what zod found in it. */
export function fieldErrors(error: z.ZodError, input: unknown): FieldError[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'is not known here' }));
    }
    const value = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)?.[key], input);
    return [{ field: issue.path.join('.') || 'input', message: value === undefined ? 'is missing' : issue.message }];
  });
}

/** Checks a value at a door. @throws InvalidInputError that names each field and the reason. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(fieldErrors(parsed.error, value));
}

/** Checks JSON text at a door. @throws InvalidInputError also where the text is not JSON. */
export function parseJson<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidInputError([{ field: 'input', message: `is not JSON: ${(error as Error).message}` }]);
  }
  return parseInput(schema, value);
}

/**
 * Configuration from environment variables, checked. An empty variable counts as one that is not set.
 * @throws OperatorError that names each variable and what is wrong with it, never its value.
 */
export function readConfig<Schema extends z.ZodType>(schema: Schema, env = process.env): z.output<Schema> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(set);
  if (parsed.success) return parsed.data;
  const problems = fieldErrors(parsed.error, set).map(({ field, message }) => `  ${field} ${message}`);
  throw new OperatorError(
    `The configuration is not right:\n${problems.join('\n')}`,
    'Set these environment variables; the scripts `start` and `worker` of this app do.',
  );
}

/**
 * Whether an update was accepted, and its workflow was then ended from outside, or reset, before it answered. That is no
 * refusal: after a reset the workflow goes on, and may do what was asked for.
 */
export const isLeftUnanswered = (error: unknown): boolean =>
  error instanceof Error && (error.cause as { type?: unknown } | undefined)?.type === 'AcceptedUpdateCompletedWorkflow';
