/** `pnpm stack`: makes server programs ready, runs the stack, looks at it, empties it. */
import { Command } from 'commander';
import { describeError } from './operator-error.ts';

const cli = new Command('pnpm stack')
  .description('the servers that the apps of this repository run on')
  .option('--stack <name>', 'which stack', 'main');

const stackName = () => cli.opts<{ stack: string }>().stack;

// Each command loads only what it needs: `prepare` runs before every test.
cli
  .command('up', { isDefault: true })
  .description('start Temporal and PostgreSQL and keep them until Ctrl-C')
  .option('--spicedb', 'SpiceDB as well')
  // A mistyped command arrives here, because `up` is the one that may be left out.
  .argument('[command]')
  .action(async (mistyped, { spicedb }) => {
    if (mistyped === undefined) return (await import('./commands/up.ts')).up(stackName(), spicedb ? ['spicedb'] : []);
    console.error(`command: ${mistyped} is none of ${cli.commands.map((one) => one.name()).join(', ')}`);
    process.exitCode = 2;
  });

cli
  .command('prepare')
  .description('make all server programs ready; quiet when they are')
  .action(async () => (await import('./commands/prepare.ts')).prepare());

cli
  .command('doctor')
  .description('say what would be used for each server and why; check ports, versions and leftovers')
  .action(async () => {
    process.exitCode = (await (await import('./commands/doctor.ts')).doctor()) ? 0 : 1;
  });

cli
  .command('status')
  .description('say what is running')
  .action(async () => (await import('./commands/status.ts')).status(stackName()));

cli
  .command('database-url')
  .description('print the URL of the running PostgreSQL, with its password: psql "$(pnpm -s stack database-url)"')
  .action(async () => (await import('./commands/status.ts')).databaseUrl(stackName()));

cli
  .command('reset')
  .description('empty the data of a stack that is not running')
  .action(async () => (await import('./commands/reset.ts')).reset(stackName()));

// For the help text only: its arguments are another program's and must not be read here.
cli.command('temporal').description("run the temporal command on this stack's server").argument('[args...]');

try {
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'temporal') {
    process.exitCode = await (await import('./commands/temporal.ts')).temporal('main', rest);
  } else {
    await cli.parseAsync();
  }
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
