import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundledProgram } from '@repo/dev-stack';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from './environment.ts';

/** Where a worker may run, as its environment variables say. */
export interface Place {
  /** As in the time zone database. */
  TZ: string;
  LANG: string;
}

/**
 * Two places that have little in common with each other, or with a server in UTC and English: offsets of a quarter and
 * of half an hour, on both sides; letters that change case in their own way, and digits of their own.
 */
const places: Place[] = [
  { TZ: 'Asia/Kathmandu', LANG: 'tr_TR' },
  { TZ: 'America/St_Johns', LANG: 'ar_EG' },
];

/** ALL-2: replays the recorded histories (`<folder>/*.json`) with workers of other time zones and languages: one test each. */
export function replayUnder(folder: string): void {
  describe('ALL-2 recorded histories replay', () => {
    it.each(places)('in $TZ and $LANG', async (place) => {
      const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).map((file) => join(folder, file));
      expect(files).not.toEqual([]);
      expect(await partedIn(place, workflowBundle().codePath, files)).toEqual([]);
    });
  });
}

/**
 * The histories that do not replay with a worker in this place, each with Temporal's words.
 * @throws Error if a process of that time zone and language cannot be had here: then nothing has been shown
 */
export async function partedIn(place: Place, bundle: string, files: string[]): Promise<string[]> {
  const child = await bundledProgram(fileURLToPath(new URL('./replay-child.ts', import.meta.url)));
  // What is set as LC_ALL wins over LANG.
  const env = { ...process.env, ...place, LC_ALL: place.LANG };
  const { stdout } = await promisify(execFile)(process.execPath, [child, bundle, ...files], { env });
  const { timeZone, locale, parted } = JSON.parse(stdout) as { timeZone?: string; locale: string; parted: string[] };
  // A time zone may have an older name too.
  const wanted = new Intl.DateTimeFormat('en', { timeZone: place.TZ }).resolvedOptions().timeZone;
  if (timeZone !== wanted || new Intl.Locale(locale).language !== place.LANG.split('_')[0]) {
    throw new Error(`A process for ${place.TZ} and ${place.LANG} came up in ${timeZone} and ${locale}.`);
  }
  return parted;
}
