import { join } from 'node:path';
import { z } from 'zod';
import { byName, isDigest } from '../../services/digests.ts';
import { readIfThere, removePartials, writeDurably } from '../../services/durable-file.ts';
import { isName } from '../../services/names.ts';
import { Refused } from '../../services/refused.ts';
import type { Activation, DeployedSet, EnvironmentState } from '../../services.ts';
import { oneAtATime } from './one-at-a-time.ts';

const digest = z.string().refine(isDigest, 'must be 64 hexadecimal digits');
const generation = z.int('must be a whole number').min(1, 'must be at least 1');
const name = z.string().refine(isName, 'must be a name: 1 to 40 small letters, digits and "-"');
const release = z.string('must be text').min(1, 'must not be empty').max(100, 'must have at most 100 characters');
const set = z.record(name, z.strictObject({ artifact: digest, config: digest }), 'must be an object of deployables');

/** Bodies of requests. */
export const activationBody = z.strictObject({
  generation,
  release,
  set: set.refine((all) => Object.keys(all).length > 0, 'must name a deployable'),
  others: z.enum(['keep', 'remove'], 'must be keep or remove').default('keep'),
}) satisfies z.ZodType<Activation>;
export const generationBody = z.strictObject({ generation });

const stored = z.object({
  generation: z.int().min(0),
  release: release.optional(),
  status: z.enum(['empty', 'active', 'good', 'rolled-back']),
  set,
  lastGood: z.object({ generation, release, set }).optional(),
  /** What the newest generation was activated with, to know it when it is asked again. */
  asked: activationBody.optional(),
});
type Stored = z.output<typeof stored>;

/**
 * What an environment points at. It is one file, so every change of it is whole: after a crash it is the old one or the new
 * one. A generation that was overtaken never comes back.
 */
export class Pointer {
  readonly #file: string;
  readonly #folder: string;
  readonly #change = oneAtATime();
  #now: Stored = { generation: 0, status: 'empty', set: {} };

  /** @param folder only this process writes to it */
  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, 'state.json');
  }

  /** Takes up what was there before. @throws Error if that cannot be read: nothing is served rather than something else */
  async open(): Promise<void> {
    await removePartials(this.#folder, 0);
    const text = await readIfThere(this.#file);
    if (!text) return;
    try {
      this.#now = stored.parse(JSON.parse(String(text)));
    } catch (error) {
      throw new Error(`${this.#file} cannot be read, so nobody knows what this environment serves`, { cause: error });
    }
  }

  state(environment: string): EnvironmentState {
    const { asked: _asked, ...state } = this.#now;
    return { environment, ...state };
  }

  /** What is served at this moment: whoever answers a request takes it once. */
  get set(): DeployedSet {
    return this.#now.set;
  }

  /** What must not be thrown away. */
  get inUse(): { artifacts: Set<string>; configs: Set<string> } {
    const all = [...Object.values(this.#now.set), ...Object.values(this.#now.lastGood?.set ?? {})];
    return { artifacts: new Set(all.map((one) => one.artifact)), configs: new Set(all.map((one) => one.config)) };
  }

  /** @param missing names a part of the set that is not there; asked in the moment before the switch */
  activate(asked: z.output<typeof activationBody>, missing: (set: DeployedSet) => Promise<string | undefined>) {
    return this.#change(async () => {
      const { generation, status, lastGood } = this.#now;
      this.#refuseOlder(asked.generation);
      if (asked.generation === generation) {
        if (status === 'rolled-back' || status === 'empty') {
          throw new Refused('rolledBack', `Generation ${generation} was rolled back`, 'generation');
        }
        if (canonical(this.#now.asked) === canonical(asked)) return;
        throw new Refused(
          'generationMismatch',
          `Generation ${generation} was activated with another set`,
          'generation',
        );
      }
      const others = asked.others === 'keep' ? (lastGood?.set ?? {}) : {};
      // Not of the others: what is wrong with them is not for this release to wait for.
      const lacking = await missing(asked.set);
      if (lacking) throw new Refused('missingParts', `${lacking}: upload it first`, 'set');
      const next = { ...others, ...asked.set };
      await this.#save({
        generation: asked.generation,
        release: asked.release,
        status: 'active',
        set: next,
        lastGood,
        asked,
      });
    });
  }

  markGood(asked: number): Promise<void> {
    return this.#change(async () => {
      this.#refuseOlder(asked);
      const { generation, release, status, set } = this.#now;
      if (asked !== generation || release === undefined) {
        throw new Refused('notActivated', `Generation ${asked} was never activated`, 'generation');
      }
      if (status === 'rolled-back' || status === 'empty') {
        throw new Refused('rolledBack', `Generation ${asked} was rolled back`, 'generation');
      }
      if (status === 'active')
        await this.#save({ ...this.#now, status: 'good', lastGood: { generation, release, set } });
    });
  }

  rollBack(asked: number): Promise<void> {
    return this.#change(async () => {
      this.#refuseOlder(asked);
      const { generation, status, release, lastGood } = this.#now;
      if (asked === generation && status !== 'active') return;
      await this.#save({
        generation: asked,
        ...(asked === generation && { release }),
        status: lastGood ? 'rolled-back' : 'empty',
        set: lastGood?.set ?? {},
        lastGood,
      });
    });
  }

  #refuseOlder(asked: number): void {
    const { generation, release } = this.#now;
    if (asked >= generation) return;
    const newer = `generation ${generation}${release ? ` of release ${release}` : ''}`;
    throw new Refused('olderGeneration', `Generation ${asked} is older than ${newer}`, 'generation');
  }

  async #save(next: Stored): Promise<void> {
    await writeDurably(this.#file, `${JSON.stringify(next, null, 2)}\n`);
    this.#now = next;
  }
}

/** The same text for the same activation, in whatever order its deployables are written. */
function canonical(asked: z.output<typeof activationBody> | undefined): string {
  const deployables = Object.entries(asked?.set ?? {}).sort(byName);
  return JSON.stringify([
    asked?.release,
    asked?.others,
    deployables.map(([one, { artifact, config }]) => [one, artifact, config]),
  ]);
}
