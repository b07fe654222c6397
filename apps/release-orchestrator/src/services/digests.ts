import { createHash } from 'node:crypto';

/** SHA-256 as 64 lower-case hexadecimal digits; of text, as UTF-8. */
export const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

/** Whether a text has the form of a digest: what is not one never becomes part of a path or an address. */
export const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

/** Of names and the digests of what they stand for. As JSON, so that no two lists are written alike. */
export const digestOfAll = (digests: Record<string, string>): string =>
  sha256(JSON.stringify(Object.entries(digests).sort(byName)));

/** By code units and not by locale: the order is part of digests, and the same everywhere. */
export const byName = ([one]: [string, unknown], [other]: [string, unknown]): number =>
  one < other ? -1 : one > other ? 1 : 0;
