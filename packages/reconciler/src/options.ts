import { type Command, Option } from 'commander';

/** For an app's command `reconcile`: the options of its schedule. */
export const addScheduleOptions = (command: Command): Command =>
  command
    .addOption(new Option('--every <duration>', 'do it on a schedule from now on').conflicts('dryRun'))
    .addOption(new Option('--stop', 'delete that schedule').conflicts(['every', 'dryRun']))
    .addOption(new Option('--serve', 'run the worker of that schedule, until Ctrl-C').conflicts(['dryRun', 'stop']));
