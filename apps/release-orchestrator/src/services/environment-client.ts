import { z } from 'zod';
import type { EnvironmentHost, EnvironmentState, Environments, Served } from '../services.ts';
import { isName, limits } from './names.ts';
import { Refused, refusalTypes } from './refused.ts';

const address = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    // It is shown in summaries, and these are kept in histories.
    .refine((text) => !URL.canParse(text) || new URL(text).username === '', 'must not have a user name in it')
    .transform((text) => text.replace(/\/+$/, '')),
  token: z.string('must be text').min(16, 'must have at least 16 characters'),
});

const addresses = z.record(z.string().refine(isName, 'must be a name: small letters, digits and "-"'), address);

/** `ENVIRONMENTS`: where each environment's host is, and the token that lets us change it. */
export const environmentsConfig = z.string('must be JSON').transform((text, context): z.output<typeof addresses> => {
  const parsed = addresses.safeParse(json(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const problem = issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message;
  const message = issue?.path.length
    ? `${issue.path.join('.')} ${problem}`
    : 'must be {"dev":{"url":"http://…","token":"…"}}';
  context.addIssue({ code: 'custom', message: `is not right: ${message}` });
  return z.NEVER;
});

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Addresses = z.output<typeof environmentsConfig>;

/** Less than an activity has (5 s, and minutes for an upload), so that its failure says who did not answer. */
const timeoutMs = 4_000;
const uploadTimeoutMs = 30_000;
/** What the host answers goes into histories. */
const longestAnswer = 256 * 1024; // characters

const state = z.custom<EnvironmentState>((value) => typeof (value as EnvironmentState)?.generation === 'number');
const served = z.object({
  artifact: z.string(),
  config: z.string(),
  isHealthy: z.boolean(),
  reason: z.string().optional(),
});
const refusal = z.object({
  error: z.object({ type: z.string(), message: z.string(), field: z.string().optional() }),
});

export function environmentsOverHttp(addresses: Addresses): Environments {
  const names = Object.keys(addresses);
  const hosts = new Map(Object.entries(addresses).map(([name, { url, token }]) => [name, overHttp(name, url, token)]));
  return {
    names,
    of(name) {
      const host = hosts.get(name);
      if (host) return host;
      throw new Refused('unknownEnvironment', `There is no environment ${name}: ${names.join(', ')}`, 'environment');
    },
  };
}

function overHttp(name: string, url: string, token: string): EnvironmentHost {
  const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } });

  return {
    name,
    url,
    state: (signal) => whole('GET', '/-/state', state, signal),
    hasArtifact: (digest, signal) => isThere(`/-/artifacts/${digest}`, signal),
    hasConfig: (hash, signal) => isThere(`/-/configs/${hash}`, signal),
    async putArtifact(digest, archive, signal) {
      // A host stops listening in the middle of what is too large, which would look like no answer.
      if (archive.length > limits.archiveBytes) {
        throw new Refused('tooLarge', `An archive must have at most ${limits.archiveBytes} bytes`, 'archive');
      }
      const headers = { 'content-type': 'application/x-tar' };
      await call('PUT', `/-/artifacts/${digest}`, signal, { body: Buffer.from(archive), headers }, uploadTimeoutMs);
    },
    async putConfig({ hash, values }, signal) {
      await call('PUT', `/-/configs/${hash}`, signal, json(values));
    },
    activate: (activation, signal) => whole('POST', '/-/activate', state, signal, json(activation)),
    markGood: (generation, signal) => whole('POST', '/-/good', state, signal, json({ generation })),
    rollBack: (generation, signal) => whole('POST', '/-/roll-back', state, signal, json({ generation })),
    async served(deployable, signal): Promise<Served | undefined> {
      // One answer says all of it, so that no switch comes in between.
      const { status, answer } = await call('GET', `/${encodeURIComponent(deployable)}/healthz`, signal);
      return status === 404 ? undefined : parse(served, answer);
    },
  };

  async function isThere(path: string, signal: AbortSignal): Promise<boolean> {
    return (await call('GET', path, signal)).status === 200;
  }

  async function whole<Reply>(
    method: string,
    path: string,
    reply: z.ZodType<Reply>,
    signal: AbortSignal,
    more?: object,
  ) {
    return parse(reply, (await call(method, path, signal, more)).answer);
  }

  function parse<Reply>(reply: z.ZodType<Reply>, answer: unknown): Reply {
    const parsed = reply.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new Error(`The environment ${name} answers something else than expected`, { cause: parsed.error });
  }

  /** @throws Refused for what the host refuses; any other error means no answer that can be used */
  async function call(method: string, path: string, signal: AbortSignal, more: RequestInit = {}, patience = timeoutMs) {
    // With its name: an address that is another one's would otherwise do.
    const headers = { ...more.headers, authorization: `Bearer ${token}`, 'x-environment': name };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    let status: number | undefined;
    try {
      // A host sends nobody elsewhere, and the token is for it alone.
      const response = await fetch(url + path, { ...more, method, headers, signal: limited, redirect: 'error' });
      status = response.status;
      const text = await response.text();
      if (text.length > longestAnswer) throw new Error('The answer is too long');
      const answer: unknown = text === '' ? undefined : JSON.parse(text);
      const no = refusal.safeParse(answer).data?.error;
      const type = keyOf(no?.type);
      if (no && type) throw new Refused(type, `${name}: ${no.message}`, no.field);
      // The last two are answers to a question: not there, not well.
      if (response.ok || (method === 'GET' && (status === 404 || status === 503))) return { status, answer };
      throw new Error(no?.message ?? 'something else than expected');
    } catch (error) {
      if (error instanceof Refused) throw error;
      const problem = status === undefined ? 'does not answer' : `answered ${status}`;
      const why = error instanceof Error && status !== undefined ? `: ${error.message.slice(0, 500)}` : '';
      throw new Error(`The environment ${name} ${problem}${why}`, { cause: error });
    }
  }
}

const keyOf = (type: string | undefined) =>
  (Object.keys(refusalTypes) as (keyof typeof refusalTypes)[]).find((key) => refusalTypes[key] === type);
