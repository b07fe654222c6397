import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ProgramDefinition } from '../src/programs/definition.ts';

/** Waits until `condition` holds, looking every 20 ms; throws after `timeout` ms. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeout = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeout} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A fixture running in a process of its own, with the lines it prints. */
export interface Running {
  child: ChildProcess;
  lines: string[];
  ended: Promise<number | null>;
  /** Resolves with the first line (from now or before) that has this text in it. */
  says(text: string): Promise<string>;
}

/** Starts a TypeScript file of test/fixtures (or below src) in a process of its own. */
export function runFile(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm')).href;
  const child = spawn(process.execPath, ['--import', loader, program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    child,
    lines,
    ended,
    async says(text) {
      await until(`${file} says ${text}; it said ${lines.join('\n')}`, () => lines.some((line) => line.includes(text)));
      return lines.find((line) => line.includes(text)) ?? '';
    },
  };
}

/** A definition whose program is made by a shell script, with `$1` as its output folder. */
export function fakeProgram(script: string, changes: Partial<ProgramDefinition> = {}): ProgramDefinition {
  const sources = join(process.env.XDG_CACHE_HOME ?? '', 'sources');
  mkdirSync(sources, { recursive: true });
  writeFileSync(join(sources, 'pin'), '1.0');
  return {
    name: 'fake',
    title: 'the fake server',
    envVariable: 'FAKE_PATH',
    pathNames: [],
    readVersion: async (path) => readFileSync(path, 'utf8').split('# ')[1]?.trim() ?? '',
    executable: 'fake',
    pinnedVersion: () => '1.0',
    build: {
      sources,
      tools: [{ command: 'sh', install: 'a shell' }],
      announcement: 'building the fake server, about 1 second',
      commands: (output) => [{ command: 'sh', args: ['-c', script, 'sh', output], cwd: dirname(sources) }],
    },
    ...changes,
  };
}

/** Writes an executable file whose version is `version`. */
export const WRITE_FAKE = 'printf "#!/bin/sh\\n# 7.7\\n" > "$1/fake"; chmod +x "$1/fake"';
