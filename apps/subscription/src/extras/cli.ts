import { userInfo } from 'node:os';
import { appProgram, print } from '@repo/dev-stack/commands';
import { addScheduleOptions } from '@repo/reconciler/options';
import { runProgram } from '@repo/worker-kit';
import { Option } from 'commander';
import type { Demo } from './demo.ts';

// Everything else is imported where it is needed: a command that loads the whole app takes a second longer to begin.

const program = appProgram<Demo>({
  app: 'subscription',
  name: 'subscription',
  description: 'Years of billing in one workflow',
  needs: ['temporal', 'postgres'],
  cli: import.meta.url,
  load: () => import('./start.ts'),
});

const asJson = ['--json', 'print the answer as JSON'] as const;
const eachAsJson = ['--json', 'print each as JSON, one a line'] as const;
const who = ['--by <name>', `who asks for it; default: ${userInfo().username}`] as const;
const changeId = ['--change-id <text>', 'the same id again is the same change; default: a new one'] as const;
const from = ['--from <n>', 'the first period it holds for; default: the next one'] as const;

program
  .command('subscribe')
  .description('signs a customer up and says whether it stands; exit code 1 if it is refused')
  .option('--customer <id>')
  .option('--plan <name>', 'one of the catalogue: phone-36, endless')
  .option('--plan-file <file>', 'in place of --plan: a plan of your own, as JSON')
  .option('--id <text>', 'the same id again is the same subscription; default: customer and plan')
  .option('--time-zone <zone>', "where its days begin and end, as Europe/Vienna; default: the customer's")
  .option(...asJson)
  .action(async (options) => (await import('./commands.ts')).subscribeCommand(options));

program
  .command('status')
  .description('what a subscription is at; exit code 3 if the ledger does not agree with how it has ended')
  .argument('<id>')
  .option(...asJson)
  .action(async (id, options) => (await import('./commands.ts')).statusCommand(id, options));

program
  .command('change-price')
  .description('another price; a period that has begun keeps its own')
  .argument('<id>')
  .option('--price <amount>', 'as 12.50, in the currency of the subscription')
  .option(...from)
  .option(...changeId)
  .option(...who)
  .option(...asJson)
  .action(async (id, options) => (await import('./change-commands.ts')).changePriceCommand(id, options));

program
  .command('change-period')
  .description('another length of the periods')
  .argument('<id>')
  .option('--period <length>', 'as 1-month or 30-days')
  .option(...from)
  .option(...changeId)
  .option(...who)
  .option(...asJson)
  .action(async (id, options) => (await import('./change-commands.ts')).changePeriodCommand(id, options));

program
  .command('adjust')
  .description('money given to the customer, or taken, by hand; exit code 1 if the ledger refuses')
  .argument('<id>')
  .addOption(new Option('--credit <amount>', 'to the customer, as 12.50').conflicts('debit'))
  .option('--debit <amount>', 'from the customer, as 12.50')
  .option('--reason <text>')
  .option('--reference <text>', 'the same reference again is the same adjustment; default: a new one')
  .option(...who)
  .option(...asJson)
  .action(async (id, options) => (await import('./change-commands.ts')).adjustCommand(id, options));

program
  .command('refund')
  .description('gives back what was charged for a period; exit code 1 if the ledger refuses')
  .argument('<id>')
  .option('--period <n>')
  .option('--reason <text>')
  .option(...who)
  .option(...asJson)
  .action(async (id, options) => (await import('./change-commands.ts')).refundCommand(id, options));

program
  .command('resolve')
  .description('settles by hand a charge that the ledger will not give back, as to a closed account')
  .argument('<id>')
  .option('--period <n>')
  .option('--how <word>', 'paid-out, in some other way, or waived')
  .option('--note <text>', 'for whoever reads the books one day')
  .option(...who)
  .option(...asJson)
  .action(async (id, options) => (await import('./change-commands.ts')).resolveCommand(id, options));

program
  .command('cancel')
  .description('ends a subscription now; recorded also while no worker is there')
  .argument('<id>')
  .option(...who)
  .option(...asJson)
  .action(async (id, options) => (await import('./change-commands.ts')).cancelCommand(id, options));

program
  .command('list')
  .description('subscriptions: open ones first, the newest of them on top, then those that ended last')
  .option('--status <status>', 'in-trial, active, past-due, cancelled, ended, unpaid …')
  .option('--plan <name>')
  .option('--started-by <user>')
  .option('--limit <n>', 'default: 50')
  .option(...eachAsJson)
  .action(async (options) => (await import('./commands.ts')).listCommand(options));

program
  .command('inbox')
  .description('the mails that have arrived at the mail server this app brings along, oldest first')
  .option('--to <address>', 'only those to this address')
  .option('--full', 'with their text')
  .option(...eachAsJson)
  .action(async (options) => (await import('./inbox-command.ts')).inboxCommand(options));

program
  .command('ledger')
  .description("every entry of a customer's account, as the ledger has them; exit code 1 if there is no such customer")
  .argument('<customer>')
  .option('--subscription <id>', 'only what belongs to this one')
  .option('--json', 'print each entry as JSON, one a line')
  .action(async (customer, options) => (await import('./customer-commands.ts')).ledgerCommand(customer, options));

addScheduleOptions(
  program
    .command('reconcile')
    .description('holds Temporal against the ledger, for every subscription; exit code 3 if a person has to look')
    .option('--grace <duration>', 'leave alone what has ended less than that long ago', '15m'),
)
  .option('--json', 'print each finding as JSON, one a line')
  .action(async (options) => (await import('./reconcile-command.ts')).reconcileCommand(options));

program
  .command('migrate')
  .description('tables and functions of customers, mails and ledger; safe to repeat')
  .option(...asJson)
  .action(async ({ json }) => {
    await (await import('./migrate.ts')).migrate();
    print(json, { databases: 'ready' }, () => 'Customers, mails and ledger are ready.');
  });

const customer = program.command('customer').description('customers; exit code 1 if the ledger refuses');

customer
  .command('add')
  .argument('<customer>')
  .option('--name <text>', 'default: the id')
  .option('--email <address>', 'default: <customer>@example.com')
  .option('--time-zone <zone>', 'default: UTC')
  .option('--currency <code>', 'of the account that is charged; default: EUR')
  .option(...asJson)
  .action(async (id, options) => (await import('./customer-commands.ts')).addCommand(id, options));

customer
  .command('pay-in')
  .description('money from outside, for demonstrations')
  .argument('<customer>')
  .option('--amount <amount>', 'as 12.50')
  .option('--key <text>', 'the same key again is the same payment; default: a new one')
  .option(...asJson)
  .action(async (id, options) => (await import('./customer-commands.ts')).payInCommand(id, options));

customer
  .command('list')
  .description('all customers with their balances')
  .option(...eachAsJson)
  .action(async (options) => (await import('./customer-commands.ts')).listCommand(options));

await runProgram(async () => {
  await program.parseAsync();
});
