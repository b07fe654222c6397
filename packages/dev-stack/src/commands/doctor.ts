import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pc from 'picocolors';
import { describeError } from '../operator-error.ts';
import { cacheRoot, dataRoot, projectRoot } from '../paths.ts';
import { deadPartials } from '../programs/cache.ts';
import { type ProgramName, programDefinitions } from '../programs/definitions.ts';
import { locateProgram } from '../programs.ts';
import { privateFolder } from '../stack-servers/places.ts';
import { isFree } from '../stack-servers/ports.ts';
import { daemonRuns, readRecord } from '../stack-servers/record.ts';
import { factsOf, serverNames } from '../stack-servers/server-facts.ts';

const run = promisify(execFile);

/** Prints what would be used for each server and why; false if something needed cannot be had. */
export async function doctor(): Promise<boolean> {
  const healthy = [await node(), await programs()];
  await tools();
  await ports();
  leftovers();
  return healthy.every(Boolean);
}

async function node(): Promise<boolean> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  console.log(line(good, 'Node', `${process.version}${good ? '' : ' is too old: install 20.19 or later'}`));
  return good;
}

async function programs(): Promise<boolean> {
  let good = true;
  heading('Server programs');
  for (const name of Object.keys(programDefinitions) as ProgramName[]) {
    try {
      const { program, passedOver, plan, missing } = await locateProgram(name);
      const buildable = plan.includes('build') && missing.length === 0;
      const ways = plan.filter((way) => way === 'download' || buildable);
      good &&= program !== undefined || ways.length > 0;
      const words = { download: 'a download (needs the network)', build: 'a build from infra/servers' };
      const found = program
        ? `${program.version}, from ${program.source}: ${program.path}`
        : ways.length > 0
          ? `not here yet; the first start gets it by ${ways.map((way) => words[way]).join(', or else ')}`
          : 'cannot be had';
      console.log(line(program !== undefined || ways.length > 0, name, found));
      for (const reason of passedOver) console.log(pc.dim(`      passed over: ${reason}`));
      if (!program && missing.length > 0) console.log(`      to build it, install ${missing.join(' and ')}`);
    } catch (error) {
      good = false;
      console.log(line(false, name, describeError(error)));
    }
  }
  return good;
}

async function tools(): Promise<void> {
  heading('Tools');
  const pnpm: [string, string, string[]] = ['pnpm', 'pnpm', ['--version']];
  const asked: [string, string, string[]][] = [
    // A copy that was made of an app has no use for it.
    ...(existsSync(join(projectRoot, 'pnpm-workspace.yaml')) ? [pnpm] : []),
    ['Go', 'go', ['version']],
    ['Java', 'java', ['-version']],
    ['Maven', 'mvn', ['-v']],
  ];
  const answers = await Promise.all(
    asked.map(([, command, args]) =>
      run(command, args, { timeout: 20_000, cwd: '/' }).then(
        ({ stdout, stderr }) => stripColours(stdout || stderr).split('\n')[0] ?? '',
        () =>
          command === 'pnpm' ? 'not on PATH; `npx -y pnpm@12` does as well' : 'not on PATH; only needed for builds',
      ),
    ),
  );
  for (const [index, [title]] of asked.entries()) console.log(line(undefined, title, answers[index] ?? ''));
}

async function ports(): Promise<void> {
  heading('Ports');
  for (const { port, title } of serverNames.flatMap((server) => factsOf(server).ports)) {
    const holder = (await isFree(port)) ? 'free' : await holderOf(port);
    console.log(line(undefined, String(port), `${title}: ${holder}`));
  }
}

async function holderOf(port: number): Promise<string> {
  for (const name of existsSync(dataRoot) ? readdirSync(dataRoot) : []) {
    const record = readRecord(join(dataRoot, name, 'stack.json'));
    const ours = Object.values(record?.servers ?? {}).some((server) => server.ports.includes(port));
    if (record && ours)
      return daemonRuns(record) ? `used by the stack ${name}` : `held by what is left of the stack ${name}`;
  }
  const asked: [string, string[], RegExp][] = [
    ['lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], /^p(\d+)\nc(.+)/m],
    ['ss', ['-ltnpH', `sport = :${port}`], /\("([^"]+)",pid=(\d+)/],
  ];
  for (const [command, args, pattern] of asked) {
    const answer = await run(command, args, { timeout: 5000 }).then(
      ({ stdout }) => pattern.exec(stdout),
      () => null,
    );
    if (answer) return `taken by ${answer[1]} ${answer[2]}; the next free one will be used`;
  }
  return 'taken by another program; the next free one will be used';
}

function leftovers(): void {
  const found = deadPartials(cacheRoot()).map((path) => `${path}: an interrupted build; the next build removes it`);
  const folders = [dataRoot, privateFolder()].filter(existsSync);
  for (const folder of folders.flatMap((parent) => readdirSync(parent).map((name) => join(parent, name)))) {
    const record = readRecord(join(folder, 'stack.json'));
    if (record && !daemonRuns(record)) found.push(`${folder}: its process was killed; the next start cleans up`);
  }
  heading('Leftovers');
  for (const text of found) console.log(`  ${text}`);
  if (found.length === 0) console.log('  none');
}

function heading(text: string): void {
  console.log(`\n${pc.bold(text)}`);
}

function line(good: boolean | undefined, name: string, text: string): string {
  const mark = good === undefined ? ' ' : good ? pc.green('✓') : pc.red('✗');
  return `  ${mark} ${name.padEnd(22)} ${text}`;
}

function stripColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Maven colours its version
  return text.replace(/\x1b\[[\d;]*m/g, '');
}
