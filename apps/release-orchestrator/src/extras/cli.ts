import { userInfo } from 'node:os';
import { appProgram, print, runStart } from '@repo/dev-stack/commands';
import { addScheduleOptions } from '@repo/reconciler/options';
import { isMain, runProgram } from '@repo/worker-kit';
import { Option } from 'commander';
import type { Demo } from './demo.ts';

// Everything else is imported where it is needed: a command that loads the whole app takes a second longer to begin.

const program = appProgram<Demo>({
  app: 'release-orchestrator',
  name: 'release',
  description: 'Releases that really deploy',
  needs: ['temporal', 'postgres'],
  cli: import.meta.url,
  load: () => import('./start.ts'),
});

const asJson = ['--json', 'print the answer as JSON'] as const;
const who = ['--by <name>', `who decides; default: ${userInfo().username}`] as const;

program
  .command('environments')
  .description('the four environments, until Ctrl-C, for several workers; `worker` alone brings up its own')
  .option('--verbose', 'show what they write')
  .action(async (options) => {
    const { environmentsAlone } = await import('./start.ts');
    return runStart(
      { app: 'release-orchestrator', needs: [], load: async () => environmentsAlone },
      { once: true, ...options },
    );
  });

program
  .command('create')
  .description('starts a release, and answers when it is documented and waits for approval, or is refused')
  .argument('<file.json>', 'what to release, as JSON; - reads it from standard input')
  .option('--by <name>', `who asks for it; default: what the file says, or ${userInfo().username}`)
  .option(...asJson)
  .action(async (file, options) => (await import('./commands.ts')).createCommand(file, options));

for (const [name, description] of [
  ['show', 'what was asked for, and how far it is'],
  ['status', 'one line; exit code 1 if it has not become what was asked for, 3 if a person has to look'],
  ['document', 'what exactly would be released, with digests: what is approved'],
  ['summary', 'what went where, when, approved by whom; of a release that has ended'],
] as const) {
  program
    .command(name)
    .description(description)
    .argument('<release>')
    .option(...asJson)
    .action(async (release, options) => (await import('./commands.ts')).lookCommand(name, release, options));
}

for (const [name, description] of [
  ['approve', 'lets it go on to the environments, and waits for what becomes of it'],
  ['reject', 'ends it before anything is deployed'],
] as const) {
  program
    .command(name)
    .description(description)
    .argument('<release>')
    .option(...who)
    .option('--document <digest>', 'only if this is the document that was read')
    .option('--no-wait', 'answer as soon as the decision is recorded')
    .option(...asJson)
    .action(async (release, options) => (await import('./commands.ts')).decideCommand(name, release, options));
}

program
  .command('cancel')
  .description('ends a release; an environment in the middle goes back, those that are done stay')
  .argument('<release>')
  .option(...who)
  .option('--no-wait', 'only record it, as is done when no worker answers')
  .option(...asJson)
  .action(async (release, options) => (await import('./commands.ts')).cancelCommand(release, options));

program
  .command('list')
  .description('releases: open ones first, the newest of them on top, then those that ended last')
  .option('--status <status>', 'waiting-for-approval, deploying, released, failed, needs-attention …')
  .addOption(new Option('--needs-attention', 'those in which something keeps failing').conflicts('status'))
  .option('--started-by <user>')
  .option('--limit <n>', 'default: 50')
  .option('--json', 'print each as JSON')
  .action(async (options) => (await import('./commands.ts')).listCommand(options));

program
  .command('rollback')
  .description('brings an environment back to what was good before, as a new generation')
  .requiredOption('--env <environment>')
  .option('--to <generation>', 'as `history` shows them; default: what was good before what is served now')
  .option('--id <name>', 'the same one again is the same rollback; default: a new one')
  .option(...who)
  .option(...asJson)
  .action(async (options) => (await import('./environment-commands.ts')).rollbackCommand(options));

program
  .command('env')
  .description('environments')
  .command('show')
  .description('what they really serve, asked over HTTP; exit code 3 if one does not serve what it was told to')
  .argument('[environment]')
  .option('--json', 'print each as JSON')
  .action(async (environment, options) =>
    (await import('./environment-commands.ts')).showCommand(environment, options),
  );

program
  .command('history')
  .description('what was deployed where and when, and what became of it; the newest first')
  .option('--env <environment>')
  .option('--limit <n>', 'default: 50')
  .option('--json', 'print each as JSON')
  .action(async (options) => (await import('./environment-commands.ts')).historyCommand(options));

addScheduleOptions(
  program
    .command('reconcile')
    .description(
      'rolls back what workflows that were ended from outside have left in the middle; exit code 3 if a person has to look',
    )
    .option('--dry-run', 'only say what would be rolled back')
    .option('--grace <duration>', 'leave alone what was begun less than that long ago', '15m'),
)
  .option('--json', 'print each finding as JSON, one a line')
  .action(async (options) => (await import('./environment-commands.ts')).reconcileCommand(options));

program
  .command('migrate')
  .description('the tables of the records; safe to repeat. With a DATABASE_URL of your own, set POSTGRES_ADMIN_URL')
  .option(...asJson)
  .action(async ({ json }) => {
    await (await import('./migrate.ts')).migrate();
    print(json, { records: 'ready' }, () => 'The records are ready.');
  });

/** Runs one command: `release create FILE.json`. The exit code goes to `process.exitCode`. */
export const run = (args: readonly string[]): Promise<void> =>
  runProgram(async () => {
    await program.parseAsync(args, { from: 'user' });
  });

if (isMain(import.meta.url)) await run(process.argv.slice(2));
