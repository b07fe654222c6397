import { createHash } from 'node:crypto';

/**
 * Where an operation can be broken:
 *
 * - `before-transaction`: it was asked for, and nothing has been written
 * - `after-commit`: it is written, and the code that wrote it does not know
 * - `before-return`: the answer is there, and whoever asked does not get it
 */
export type FaultPoint = 'before-transaction' | 'after-commit' | 'before-return';

/** What happens there: an error is thrown, the call waits until `off()`, or the process is gone. */
export type FaultEffect = 'fail' | 'hang' | 'die';

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

/** What code calls at its fault points; in production it is given none. */
export type Reach = (point: FaultPoint, operation: string) => Promise<void>;

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
