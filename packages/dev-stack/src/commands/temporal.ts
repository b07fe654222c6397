import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ensureProgram } from '../programs.ts';
import { terminalProgress } from '../progress.ts';
import { notRunning, stackStatus } from './status.ts';

const NEEDS_NO_SERVER = /^(--version|-v|--help|-h|help|completion|config|env|server)$/;

/**
 * Runs the temporal command that the stack uses, on the stack's server unless TEMPORAL_ADDRESS names another.
 * @returns its exit code; 128 + n if signal n ended it
 */
export async function temporal(stack: string, args: string[]): Promise<number> {
  const { path } = await ensureProgram('temporal', { onProgress: terminalProgress() });
  const env = { ...process.env };
  const before: string[] = [];
  const elsewhere = process.env.TEMPORAL_ADDRESS || args.some((arg) => /^--(address|profile|config-file)\b/.test(arg));
  if (!elsewhere && args[0] !== undefined && !NEEDS_NO_SERVER.test(args[0]) && !args.includes('--help')) {
    const server = (await stackStatus(stack))?.servers.find(({ name }) => name === 'temporal');
    if (!server) throw notRunning(stack);
    // A key or a profile meant for another server must not decide how this one is talked to.
    for (const name of Object.keys(env)) if (name.startsWith('TEMPORAL_')) delete env[name];
    env.TEMPORAL_ADDRESS = server.where;
    before.push('--disable-config-file');
  }
  const child = spawn(path, [...before, ...args], { stdio: 'inherit', env });
  // The terminal's Ctrl-C reaches the command itself; this process waits for what it makes of it.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
