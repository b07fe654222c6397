import { appProgram, print } from '@repo/dev-stack/commands';
import { addScheduleOptions } from '@repo/reconciler/options';
import { parseInput, runProgram } from '@repo/worker-kit';
import type { Demo } from './demo.ts';

// Everything else is imported where it is needed: a command that loads the whole app takes a second longer to begin.

const program = appProgram<Demo>({
  app: 'spicedb-writes',
  name: 'post',
  description: 'A post in PostgreSQL and its author in SpiceDB, kept consistent',
  needs: ['temporal', 'postgres', 'spicedb'],
  cli: import.meta.url,
  load: () => import('./start.ts'),
});

const refused = 'exit code 1 if it is refused';
const unknown = '2 if there is no such post';

program
  .command('migrate')
  .description(
    'tables in PostgreSQL and schema in SpiceDB; safe to repeat. With a DATABASE_URL of your own, set POSTGRES_ADMIN_URL',
  )
  .option('--json', 'print the result as JSON')
  .action(async ({ json }) => {
    const { migrate } = await import('./migrate.ts');
    print(json, await migrate(), ({ spicedb }) =>
      ['PostgreSQL has its tables.', `SpiceDB has its schema${spicedb === 'unchanged' ? ', as before' : ''}.`].join(
        '\n',
      ),
    );
  });

program
  .command('write')
  .description(`writes a post by an author and waits for the outcome; ${refused}`)
  .option('--author <user>')
  .option('--post <id>')
  .option('--json', 'print the outcome as JSON')
  .action(async ({ json, ...options }) => {
    const { atTheDoor } = await import('../contract.ts');
    const request = parseInput(atTheDoor.write, options);
    return (await import('./commands.ts')).changeCommand('writePost', request, json);
  });

program
  .command('transfer')
  .description(`gives a post to another author; ${refused}, ${unknown}`)
  .option('--post <id>')
  .option('--to <user>')
  .option('--json', 'print the outcome as JSON')
  .action(async ({ json, ...options }) => {
    const { atTheDoor } = await import('../contract.ts');
    const request = parseInput(atTheDoor.transfer, options);
    return (await import('./commands.ts')).changeCommand('transferPost', request, json);
  });

for (const [name, workflow, description] of [
  ['delete', 'deletePost', `deletes a post; ${refused}, ${unknown}`],
  ['mend', 'mendPost', `brings SpiceDB to what PostgreSQL says of one post; ${refused}`],
] as const) {
  program
    .command(name)
    .description(description)
    .option('--post <id>')
    .option('--json', 'print the outcome as JSON')
    .action(async ({ json, ...options }) => {
      const { atTheDoor } = await import('../contract.ts');
      const request = parseInput(atTheDoor.post, options);
      return (await import('./commands.ts')).changeCommand(workflow, request, json);
    });
}

program
  .command('check')
  .description('whether somebody may do something with a post: exit code 0 if so, 3 if not')
  .option('--user <user>')
  .option('--post <id>')
  .option('--permission <name>', 'view, edit or delete')
  .option('--json', 'print the answer as JSON')
  .action(async ({ json, ...options }) => {
    const { atTheDoor } = await import('../contract.ts');
    const request = parseInput(atTheDoor.check, options);
    return (await import('./commands.ts')).checkCommand(request, json);
  });

program
  .command('list')
  .description('the posts that somebody may view, one a line')
  .option('--user <user>')
  .option('--json', 'print each as JSON')
  .action(async ({ json, ...options }) => {
    const { atTheDoor } = await import('../contract.ts');
    const request = parseInput(atTheDoor.list, options);
    return (await import('./commands.ts')).listCommand(request, json);
  });

program
  .command('status')
  .description('what both stores and Temporal know of a post; exit code 1 if none has ever heard of it')
  .option('--post <id>')
  .option('--json', 'print it as JSON')
  .action(async ({ json, ...options }) => {
    const { atTheDoor } = await import('../contract.ts');
    const request = parseInput(atTheDoor.post, options);
    return (await import('./commands.ts')).statusCommand(request, json);
  });

addScheduleOptions(
  program
    .command('reconcile')
    .description('compares both stores and mends where they disagree; exit code 3 if a person has to look')
    .option('--dry-run', 'only say what would be mended')
    .option('--grace <duration>', 'do not report or mend a change that was begun less than that long ago', '15m')
    .option('--prefix <text>', 'only posts whose ids begin so'),
)
  .option('--json', 'print each finding as JSON, one a line')
  .action(async (options) => (await import('./reconcile-command.ts')).reconcileCommand(options));

await runProgram(async () => {
  await program.parseAsync();
});
