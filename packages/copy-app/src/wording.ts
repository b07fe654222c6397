/** What the names of this repository are in a copy. */
export interface Names {
  /** The folder of the app. */
  app: string;
  /** Folders of the packages that come along. */
  vendored: Set<string>;
  /** Scripts of the copy's package.json. */
  scripts: Set<string>;
}

// pnpm [-s] [--filter app | -C apps/app] [run] script, and the blank before an argument, if there is one.
const command =
  /(?<![\w-])(?:npx (?:-y |--yes )?)?pnpm(?:@[\d.]+)?( -s| --silent)?(?: (?:--filter|-F|-C)[ =](?:apps\/)?([\w./-]+))?(?: run)? ([\w:-]+)( (?=[^\s`'")]))?/g;
const folder = /(?<![\w./-])(packages|apps)\/([a-z0-9-]+)(\/?)/g;
const packageName = /@repo\/([a-z0-9-]+)/g;

/**
 * The words of this repository in the words of a copy, in prose, hints and comments: `pnpm --filter trip-saga start x`
 * becomes `npm start -- x`, `packages/operations` becomes `vendor/operations`, `@repo/operations` becomes `#operations`.
 * A command that a copy does not have is left as it is.
 */
export function reworded(text: string, { app, vendored, scripts }: Names): string {
  return text
    .replace(command, (whole, silent = '', of: string | undefined, script: string, argument: string | undefined) => {
      if (!scripts.has(script) || (of !== undefined && of !== app)) return whole;
      const short = (script === 'start' || script === 'test') && silent === '';
      // npm takes for itself every option that comes before `--`.
      return `npm ${short ? '' : 'run'}${silent}${short ? '' : ' '}${script}${argument === undefined ? '' : ' -- '}`;
    })
    .replace(folder, (whole, parent: string, name: string, slash: string) => {
      if (parent === 'packages') return vendored.has(name) ? `vendor/${name}${slash}` : whole;
      return name === app && slash === '/' ? '' : whole;
    })
    .replace(packageName, (_, name: string) => (vendored.has(name) ? `#${name}` : name));
}
