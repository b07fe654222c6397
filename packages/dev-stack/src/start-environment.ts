import { join } from 'node:path';

/** What the stack and a profile decide together: half of it must not come from elsewhere than the address. */
const belongsToAddress = /^TEMPORAL_(NAMESPACE|API_KEY|TLS|TLS_.*|CODEC_.*|GRPC_META_.*)$/;

/**
 * Makes this process and its children ignore temporal.toml: a demo must never land in the namespace that someone's
 * default profile names. Only a server that `TEMPORAL_ADDRESS` names counts; without it the key, the certificates and
 * the namespace of that other server do not either.
 *
 * @param folder a folder without a temporal.toml in it
 * @returns the names of the variables that were set and are ignored
 */
export function ignoreTemporalProfile(folder: string, env: NodeJS.ProcessEnv = process.env): string[] {
  const ignored = ['TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].filter((name) => env[name]);
  if (!env.TEMPORAL_ADDRESS) ignored.push(...Object.keys(env).filter((name) => belongsToAddress.test(name)));
  for (const name of ignored) delete env[name];
  // A file that does not exist. An empty one, such as /dev/null, makes @temporalio/envconfig 1.24 throw a TypeError.
  env.TEMPORAL_CONFIG_FILE = join(folder, 'no-temporal.toml');
  return ignored;
}
