import { createHash } from 'node:crypto';

/**
 * Where an operation can be broken:
 *
 * - `before-transaction`: it was asked for, and nothing has been written
 * - `after-commit`: it is written, and the code that wrote it does not know
 * - `before-return`: the answer is there, and whoever asked does not get it
 */
export const faultPoints = ['before-transaction', 'after-commit', 'before-return'] as const;
export type FaultPoint = (typeof faultPoints)[number];

/** What happens there: an error is thrown, the call waits until `off()`, or the process is gone. */
export const faultEffects = ['fail', 'hang', 'die'] as const;
export type FaultEffect = (typeof faultEffects)[number];

/** A fault that is switched on. */
export interface Fault {
  point: FaultPoint;
  /** The name of the operation; of every one if it is missing. */
  of?: string;
  /** How many calls it meets, from now on; all if it is missing. */
  calls?: number;
  /** How likely a call is to meet it, from 0 to 1; each does if it is missing. What is drawn follows from the seed. */
  chance?: number;
  /** `fail` if it is missing. */
  effect?: FaultEffect;
}

/** What code calls at its fault points. In production it is `noFaults`, which does nothing. */
export type Reach = (point: FaultPoint, operation: string) => Promise<void>;

export const noFaults: Reach = async () => {};

/** Thrown at a fault point. It says nothing of what was written before. */
export class SimulatedFault extends Error {
  override name = 'SimulatedFault';
}

/** The fault points of one process or one test: `reach` is handed to the code, `on` and `off` are for the test. */
export class Faults {
  /** Which faults were met, as `point of operation`, oldest first. */
  readonly met: string[] = [];
  #on: (Fault & { left: number })[] = [];
  readonly #reached = new Map<string, number>();
  readonly #seed: number;
  #hanging: (() => void)[] = [];

  /** @param seed the same one meets the same calls, in whatever order different operations arrive */
  constructor(seed = 1) {
    this.#seed = seed;
  }

  /** Switches faults on, beside those that are on. */
  on(...faults: Fault[]): void {
    this.#on.push(...faults.map((fault) => ({ ...fault, left: fault.calls ?? Number.POSITIVE_INFINITY })));
  }

  /** Switches all off, and lets calls that hang go on. */
  off(): void {
    this.#on = [];
    for (const goOn of this.#hanging.splice(0)) goOn();
  }

  /** @throws SimulatedFault if a fault is on here that fails */
  readonly reach: Reach = async (point, operation) => {
    const place = `${point} of ${operation}`;
    const arrival = (this.#reached.get(place) ?? 0) + 1;
    this.#reached.set(place, arrival);
    const fault = this.#on.find((one) => one.point === point && (one.of ?? operation) === operation && one.left > 0);
    if (!fault || !this.#draws(place, arrival, fault.chance ?? 1)) return;
    fault.left -= 1;
    this.met.push(place);
    if (fault.effect === 'die') process.kill(process.pid, 'SIGKILL');
    if (fault.effect === 'hang') return new Promise((goOn) => this.#hanging.push(goOn));
    throw new SimulatedFault(`simulated ${place}`);
  };

  /** Made of what arrives and not of when: two operations at once do not change each other's luck. */
  #draws(place: string, arrival: number, chance: number): boolean {
    const digest = createHash('sha256').update(`${this.#seed} ${place} ${arrival}`).digest();
    return digest.readUInt32BE() / 2 ** 32 < chance;
  }
}

/**
 * Faults as text, for a flag or an environment variable of a demo: `after-commit calls=2, before-return of=book
 * chance=0.2 effect=hang`.
 * @throws Error that names what is wrong
 */
export function parseFaults(text: string): Fault[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [point = '', ...settings] = part.split(/\s+/);
      const fault: Fault = { point: oneOf(faultPoints, point) };
      for (const setting of settings) {
        const [name, value = ''] = setting.split('=', 2);
        if (name === 'of') fault.of = value;
        else if (name === 'calls')
          fault.calls = number(setting, value, (calls) => Number.isInteger(calls) && calls > 0);
        else if (name === 'chance') fault.chance = number(setting, value, (chance) => chance >= 0 && chance <= 1);
        else if (name === 'effect') fault.effect = oneOf(faultEffects, value);
        else throw new Error(`${setting}: a fault has of=, calls=, chance= and effect=`);
      }
      return fault;
    });
}

function oneOf<Value extends string>(values: readonly Value[], value: string): Value {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new Error(`${value}: must be one of ${values.join(', ')}`);
  return found;
}

function number(setting: string, value: string, valid: (value: number) => boolean): number {
  if (value === '' || !valid(Number(value))) throw new Error(`${setting}: is no number that makes sense there`);
  return Number(value);
}
