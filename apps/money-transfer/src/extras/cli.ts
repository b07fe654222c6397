import { userInfo } from 'node:os';
import { appProgram, print } from '@repo/dev-stack/commands';
import { addScheduleOptions } from '@repo/reconciler/options';
import { runProgram } from '@repo/worker-kit';
import { Option } from 'commander';
import type { Demo } from './demo.ts';

// Everything else is imported where it is needed: a command that loads the whole app takes a second longer to begin.

const program = appProgram<Demo>({
  app: 'money-transfer',
  name: 'transfer',
  description: 'Money from one account to another, by way of suspense',
  needs: ['temporal', 'postgres'],
  cli: import.meta.url,
  load: () => import('./start.ts'),
});

const asJson = ['--json', 'print the answer as JSON'] as const;
const who = ['--by <name>', 'who decides'] as const;

program
  .command('send')
  .description(
    'sends money and waits for the outcome; exit code 1 if it is refused or given back, 3 if a person has to look',
  )
  .option('--from <account>')
  .option('--to <account>')
  .option('--amount <amount>', 'as 12.50')
  .option('--currency <code>')
  .option('--reference <text>', 'the same reference again is the same transfer')
  .option('--by <name>', `who asks for it, and so cannot approve it; default: ${userInfo().username}`)
  .option('--approval-within <duration>', 'how long a large one waits for approval; default: 1d')
  .option(...asJson)
  .action(async (options) => (await import('./commands.ts')).sendCommand(options));

program
  .command('status')
  .description('what Temporal and the ledger know of a transfer; exit code 3 if it has ended and they do not agree')
  .argument('<reference>')
  .option(...asJson)
  .action(async (reference, options) => (await import('./commands.ts')).statusCommand(reference, options));

for (const [name, description] of [
  ['approve', 'lets a transfer go on that waits for it; its requester cannot'],
  ['reject', 'gives back a transfer that waits for approval; its requester cannot'],
  ['resolve', 'tries again what could neither be deposited nor given back, once the cause is mended'],
] as const) {
  program
    .command(name)
    .description(description)
    .argument('<reference>')
    .option(...who)
    .option(...asJson)
    .action(async (reference, options) => (await import('./commands.ts')).decideCommand(name, reference, options));
}

program
  .command('list')
  .description('transfers: open ones first, the newest of them on top, then those that ended last')
  .option('--status <status>', 'completed, refused, refunded, waiting-for-approval, needs-attention …')
  .addOption(new Option('--needs-attention', 'those that wait for a person').conflicts('status'))
  .option('--started-by <user>')
  .option('--limit <n>', 'default: 50')
  .option('--json', 'print each as JSON')
  .action(async (options) => (await import('./commands.ts')).listCommand(options));

program
  .command('statement')
  .description('what an account was paid and has paid, with the balance after each')
  .argument('<account>')
  .option('--from <time>', 'included; a day or a time, in business time')
  .option('--to <time>', 'not included')
  .option('--json', 'print each page of 100 entries as JSON')
  .action(async (account, options) => (await import('./account-commands.ts')).statementCommand(account, options));

addScheduleOptions(
  program
    .command('reconcile')
    .description(
      'gives back what rests in suspense with a workflow that is closed, and adds up the books; exit code 3 if a person has to look',
    )
    .option('--dry-run', 'only say what would be given back')
    .option('--grace <duration>', 'leave alone what was withdrawn less than that long ago', '15m'),
)
  .option('--json', 'print each finding as JSON, one a line')
  .action(async (options) => (await import('./reconcile-command.ts')).reconcileCommand(options));

program
  .command('migrate')
  .description(
    'tables and functions of the ledger; safe to repeat. With a DATABASE_URL of your own, set POSTGRES_ADMIN_URL',
  )
  .option(...asJson)
  .action(async ({ json }) => {
    await (await import('./migrate.ts')).migrate();
    print(json, { ledger: 'ready' }, () => 'The ledger is ready.');
  });

const account = program.command('account').description('accounts; exit code 1 if the ledger refuses');

account
  .command('open')
  .argument('<account>')
  .option('--currency <code>')
  .option('--overdraft <amount>', 'how far below zero it may go; default: not at all')
  .option(...asJson)
  .action(async (id, options) => (await import('./account-commands.ts')).openCommand(id, options));

account
  .command('pay-in')
  .description('money from outside, for demonstrations')
  .argument('<account>')
  .option('--amount <amount>', 'as 12.50')
  .option('--currency <code>')
  .option('--key <text>', 'the same key again is the same payment; default: a new one')
  .option(...asJson)
  .action(async (id, options) => (await import('./account-commands.ts')).payInCommand(id, options));

account
  .command('list')
  .description('all accounts with their balances')
  .option('--json', 'print each as JSON')
  .action(async (options) => (await import('./account-commands.ts')).listCommand(options));

for (const [name, description] of [
  ['freeze', 'it neither gives nor takes until it is unfrozen'],
  ['unfreeze', 'it gives and takes again'],
  ['close', 'for good; refused while it has money, or money on its way'],
] as const) {
  account
    .command(name)
    .description(description)
    .argument('<account>')
    .option(...asJson)
    .action(async (id, options) => (await import('./account-commands.ts')).statusCommand(name, id, options));
}

await runProgram(async () => {
  await program.parseAsync();
});
