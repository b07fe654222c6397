import type { CopyManifest } from './manifest.ts';
import type { Names } from './wording.ts';

/** The last section of a copy's README: what is where, and what belongs to whom. */
export function thisProject({ scripts }: CopyManifest, { app, vendored }: Names): string {
  const has = (name: string) => name in scripts;
  const commands: [string, string][] = [
    ['npm install', 'once'],
    ['npm start', 'brings up what the app needs, and shows it'],
    ['npm test', 'all tests; `npm run typecheck` checks the types'],
    ...(has('stack') ? [['npm run stack', 'the servers, until Ctrl-C; what they keep is in `.data/`'] as const] : []),
    ...(has('temporal') ? [['npm run temporal -- …', 'the stock `temporal` command, on these servers'] as const] : []),
    ...(has('doctor')
      ? [['npm run doctor', 'which server programs would be used, and what is in the way'] as const]
      : []),
  ].map(([command, what]) => [command, what]);
  return `## This project

A copy of the app ${app} that depends on nothing outside of this folder. All of it is yours to change.

| command | |
| --- | --- |
${commands.map(([command, what]) => `| \`${command}\` | ${what} |`).join('\n')}

| folder | |
| --- | --- |
| \`src\`, \`test\` | the app |
| \`vendor\` | what the app shares with others, as source: ${[...vendored].sort().join(', ')}. An import of \`#name\` leads here, by \`"imports"\` in package.json |
| \`infra/servers\` | pinned sources of the server programs, for where nothing can be downloaded |
`;
}
