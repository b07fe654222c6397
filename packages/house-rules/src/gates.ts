import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import pc from 'picocolors';

/** One check of the whole repository: a command line that exits with 0 if there is nothing to complain about. */
export interface Gate {
  name: string;
  command: string;
  /** What to run to see only this gate again, or to mend what it found. */
  next: string;
  /** True for a gate that needs the machine for itself; it runs after the others and shows its output as it comes. */
  alone?: boolean;
}

/** How a gate ended. */
export interface Result {
  gate: Gate;
  passed: boolean;
  /** Milliseconds. */
  took: number;
  output: string;
}

/**
 * Runs all gates, also after one has failed: the quick ones side by side, each shown under its heading when it ends,
 * then one by one those that run alone. Returns the results in the order in which the gates were given.
 *
 * @param root where the commands run; `node_modules/.bin` below it is on their PATH
 * @param lanes how many run side by side
 */
export async function runGates(gates: Gate[], root: string, lanes: number, print = write): Promise<Result[]> {
  const results = new Map<Gate, Result>();
  const queue = gates.filter(({ alone }) => !alone);
  const lane = async () => {
    for (let gate = queue.shift(); gate !== undefined; gate = queue.shift()) {
      const result = await run(gate, root, () => {});
      results.set(gate, result);
      print(`${heading(result)}\n${result.output.trim()}\n`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  for (const gate of gates.filter(({ alone }) => alone)) {
    print(`\n${pc.bold(`── ${gate.name}`)}  ${pc.dim(gate.command)}\n`);
    results.set(gate, await run(gate, root, print));
  }
  return gates.map((gate) => results.get(gate) as Result);
}

/**
 * One line a gate, then which of them failed. If a gate that ran alone closed with a count of tests, it is repeated at
 * the very end, where CI looks for it.
 */
export function summary(results: Result[]): string {
  const width = Math.max(...results.map(({ gate }) => gate.name.length));
  const failed = results.filter(({ passed }) => !passed);
  const lines = results.map(({ gate, passed, took }) => {
    const mark = passed ? pc.green('✓') : pc.red('✗');
    return `  ${mark} ${gate.name.padEnd(width)}  ${seconds(took).padStart(7)}${passed ? '' : `  → ${gate.next}`}`;
  });
  const verdict =
    failed.length === 0
      ? pc.green(`All ${results.length} gates passed.`)
      : pc.red(
          `${failed.length} of ${results.length} gates failed: ${failed.map(({ gate }) => gate.name).join(', ')}.`,
        );
  const count = results.flatMap(({ gate, output }) =>
    gate.alone ? (output.match(/^\d+ passed, \d+ failed.*$/gm) ?? []) : [],
  );
  return ['', ...lines, '', verdict, ...count.slice(-1)].join('\n');
}

function run(gate: Gate, root: string, onOutput: (text: string) => void): Promise<Result> {
  const started = performance.now();
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const colours = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const env = { ...process.env, ...colours, PATH: path };
  return new Promise((resolve) => {
    let output = '';
    const take = (chunk: Buffer) => {
      output += chunk;
      onOutput(String(chunk));
    };
    const end = (passed: boolean) => resolve({ gate, passed, took: performance.now() - started, output });
    const child = spawn(gate.command, { cwd: root, env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      output += error.message;
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

function heading({ gate, passed, took }: Result): string {
  return `\n${pc.bold(`── ${gate.name}`)}  ${passed ? pc.green('passed') : pc.red('failed')} in ${seconds(took)}  ${pc.dim(gate.command)}`;
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

function write(text: string): void {
  process.stdout.write(text);
}
