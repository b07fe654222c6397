import { z } from 'zod';
import { byName, sha256 } from './digests.ts';
import { limits } from './names.ts';
import { Refused } from './refused.ts';

const valuesFields = z
  .record(
    z
      .string()
      .regex(/^[a-z][A-Za-z0-9]{0,49}$/, 'is no name of a value: 1 to 50 letters and digits, a small letter first'),
    z.string('must be text').max(2000, 'must have at most 2000 characters'),
    'must be an object with texts by their names',
  )
  .refine((values) => Object.keys(values).length <= 100, 'must have at most 100 values');

export type ConfigValues = Record<string, string>;

/** How a configuration is kept and sent: the same values give the same text, in whatever order they were written. */
export const configText = (values: ConfigValues): string =>
  JSON.stringify(Object.fromEntries(Object.entries(values).sort(byName)));

export const configHash = (values: ConfigValues): string => sha256(configText(values));

/**
 * Reads values by name from JSON.
 * @param name how the configuration is called in a refusal
 * @throws Refused `invalidConfig`, with the field, such as `values.greeting`
 */
export function parseConfig(text: Buffer | string, name: string): ConfigValues {
  const refuse = (problem: string, field = 'values'): never => {
    throw new Refused('invalidConfig', `${name}: ${field} ${problem}`, field);
  };
  if (text.length > limits.configBytes) refuse(`must have at most ${limits.configBytes} bytes`);
  const value = json(text) ?? refuse('is not JSON');
  // zod passes over this one name in silence.
  if (Object.hasOwn(value as object, '__proto__')) refuse('is no name of a value', 'values.__proto__');
  const parsed = valuesFields.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const inner = issue?.code === 'invalid_key' ? issue.issues[0] : issue;
  return refuse(inner?.message ?? 'is wrong', ['values', ...(issue?.path ?? [])].join('.'));
}

function json(text: Buffer | string): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    // Nested deeper than the parser can follow is one of the ways not to be JSON.
    return undefined;
  }
}
