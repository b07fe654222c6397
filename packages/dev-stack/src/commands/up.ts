import pc from 'picocolors';
import { OperatorError } from '../operator-error.ts';
import { terminalProgress } from '../progress.ts';
import { joinStack, type ServerName } from '../stack.ts';

/**
 * Joins with Temporal, PostgreSQL and `more`, says where they are and stays until a signal; a second one ends this
 * process at once.
 */
export async function up(name: string, more: ServerName[]): Promise<void> {
  let leaving: (() => void) | undefined;
  let signalled = false;
  const onSignal = () => {
    // The servers' own process sees this one end and stops them.
    if (signalled) process.exit(130);
    signalled = true;
    leaving?.();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  const need = [...new Set<ServerName>(['temporal', 'postgres', ...more])];
  const stack = await joinStack({ need, stack: name, onProgress: terminalProgress() });
  const say = (title: string, where: string | undefined, server: ServerName) => {
    const foreign = stack.owns(server) ? '' : pc.dim('  (set in the environment)');
    if (where) console.log(`${title.padEnd(11)} ${pc.bold(where)}${foreign}`);
  };
  say('Temporal', stack.temporal?.address, 'temporal');
  say('Web UI', stack.temporal?.uiUrl, 'temporal');
  say('PostgreSQL', withoutPassword(stack.postgres?.url ?? ''), 'postgres');
  say('SpiceDB', stack.spicedb?.endpoint, 'spicedb');
  console.log(pc.dim('Running until Ctrl-C; other commands of this clone share these servers.'));

  await new Promise<void>((resolve, reject) => {
    leaving = resolve;
    if (signalled) resolve();
    stack.onLost(() =>
      reject(
        new OperatorError('The process that runs the servers has died.', 'Run it again: the next start cleans up.'),
      ),
    );
    // A signal to npx, pnpm or tsx may end them without reaching this process; then nobody is left to press Ctrl-C.
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) resolve();
    }, 500);
  });
  console.log('Leaving the stack.');
  await stack.leave();
  process.exit(0);
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  return parsed.href;
}
