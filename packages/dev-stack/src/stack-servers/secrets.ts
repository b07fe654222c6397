import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The random secret of this name from a secrets file (0600), made when it is first asked for. One process writes. */
export function stackSecret(path: string, name: string): string {
  let secrets: Record<string, string> = {};
  try {
    secrets = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const known = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (known) return known;
  const secret = randomBytes(24).toString('base64url');
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ ...secrets, [name]: secret }, null, 2), { mode: 0o600 });
  renameSync(draft, path);
  return secret;
}
