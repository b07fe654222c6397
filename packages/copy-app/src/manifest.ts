import { posix } from 'node:path';
import type { Reached } from './reached.ts';
import { type Manifest, type Member, type Repository, readJson } from './repository.ts';

type Versions = Record<string, string>;

/** A package.json for npm. */
export interface CopyManifest extends Manifest {
  private: true;
  type: 'module';
  scripts: Versions;
  /** What `#name` in an import stands for. */
  imports: Versions;
  /** npm has no lock file to go by: what others depend on would be the newest. */
  overrides?: Versions;
  /** Whose install scripts may run: npm's word for pnpm's allowBuilds. */
  allowScripts: Record<string, boolean>;
}

/** Scripts of the root that are of use for one app too. */
const rootScripts = ['stack', 'doctor', 'temporal'];

/** Scripts that a copy gets, before it is known which packages come along with them. */
export function scriptsOf({ manifest, packages }: Repository, app: Member): { scripts: Versions; programs: string[] } {
  const uses = new Set([...runtimePackages(packages, app)].map(({ path }) => path));
  const programOf = (command: string) => /\bpackages\/[\w./-]+\.ts\b/.exec(command)?.[0];
  const kept = rootScripts.flatMap((name): [string, string, string][] => {
    const command = manifest.scripts?.[name] ?? '';
    const program = programOf(command);
    return program !== undefined && uses.has(program.split('/').slice(0, 2).join('/'))
      ? [[name, command, program]]
      : [];
  });
  const stack = kept.find(([name]) => name === 'stack')?.[1];
  return {
    scripts: Object.fromEntries(
      [
        ...Object.entries(app.manifest.scripts ?? {}),
        // The servers that tests need are built beforehand, where it can be seen; as `pnpm test` does.
        ...(stack === undefined ? [] : [['pretest', `${stack} prepare`] as const]),
        ...kept.map(([name, command]) => [name, command] as const),
      ].map(([name, command]) => [name, command.replace(/\bpackages\//g, 'vendor/')]),
    ),
    programs: [...new Set(kept.map(([, , program]) => program))],
  };
}

/** The packages that an app needs while it runs, directly or through others. */
function runtimePackages(packages: Repository['packages'], app: Member): Set<Member> {
  const found = new Set<Member>();
  const queue = [app];
  for (let member = queue.shift(); member !== undefined; member = queue.shift()) {
    for (const name of Object.keys(member.manifest.dependencies ?? {})) {
      const needed = packages.get(name);
      if (needed === undefined || found.has(needed)) continue;
      found.add(needed);
      queue.push(needed);
    }
  }
  return found;
}

/** The package.json of a copy: what app and packages depend on, in the versions of this repository. */
export function mergedManifest(
  repository: Repository,
  app: Member,
  { packages, entries }: Reached,
  name: string,
): CopyManifest {
  const runtime = runtimePackages(repository.packages, app);
  const vendored = [...packages];
  const versions = (member: Member, some: Versions | undefined): Versions => resolved(repository, member, some);
  const types = (some: Versions = {}) =>
    Object.entries(some).filter(([dependency]) => dependency.startsWith('@types/'));

  const dependencies = sorted(
    onlyOnce(repository),
    versions(app, app.manifest.dependencies),
    ...vendored.filter((one) => runtime.has(one)).map((one) => versions(one, one.manifest.dependencies)),
  );
  const optionalDependencies = without(
    sorted(
      versions(app, app.manifest.optionalDependencies),
      ...vendored.map((one) => versions(one, one.manifest.optionalDependencies)),
    ),
    dependencies,
  );
  const devDependencies = without(
    sorted(
      versions(app, app.manifest.devDependencies),
      ...vendored.filter((one) => !runtime.has(one)).map((one) => versions(one, one.manifest.dependencies)),
      // What else a package needs in development is for its tests, which stay behind; its source is type-checked here.
      ...vendored.map((one) => versions(one, Object.fromEntries(types(one.manifest.devDependencies)))),
    ),
    dependencies,
  );
  return {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    ...pick(app.manifest, 'license', 'description'),
    ...pick(repository.manifest, 'engines'),
    scripts: scriptsOf(repository, app).scripts,
    imports: sorted(
      ...[...entries.values()].map(({ alias, file }) => ({ [alias]: `./${file.replace(/^packages\//, 'vendor/')}` })),
    ),
    dependencies,
    devDependencies,
    ...(Object.keys(optionalDependencies).length > 0 ? { optionalDependencies } : {}),
    ...(Object.keys(repository.overrides).length > 0 ? { overrides: repository.overrides } : {}),
    allowScripts: repository.allowBuilds,
  };
}

/**
 * npm gives the top of node_modules to one version, here that of gRPC, and each package of the SDK a copy of its own of
 * another. Copies of protobufjs do not know each other's classes, and the SDK cannot read a recorded history ("type must
 * be a Type"). What the project itself depends on is at the top.
 */
function onlyOnce({ locked }: Repository): Versions {
  const sdk = Object.entries(locked).find(([name]) => /^@temporalio\/proto@/.test(name))?.[1];
  const version = sdk?.dependencies?.protobufjs;
  return version === undefined ? {} : { protobufjs: version };
}

/** @throws Error for a dependency that is neither in the catalog nor one that npm understands */
function resolved({ catalog }: Repository, { path }: Member, some: Versions = {}): Versions {
  return Object.fromEntries(
    Object.entries(some).flatMap(([name, specifier]): [string, string][] => {
      if (specifier.startsWith('workspace:')) return [];
      const version = specifier === 'catalog:' ? catalog[name] : specifier;
      if (version === undefined || version.startsWith('catalog:')) {
        throw new Error(`${path}/package.json wants ${name} "${specifier}", which the catalog does not have`);
      }
      return [[name, version]];
    }),
  );
}

const sorted = (...some: Versions[]): Versions =>
  Object.fromEntries(Object.entries(Object.assign({}, ...some) as Versions).sort(([a], [b]) => (a < b ? -1 : 1)));

const without = (some: Versions, others: Versions): Versions =>
  Object.fromEntries(Object.entries(some).filter(([name]) => !(name in others)));

const pick = <Key extends keyof Manifest>(manifest: Manifest, ...keys: Key[]): Partial<Pick<Manifest, Key>> =>
  Object.fromEntries(keys.filter((key) => manifest[key] !== undefined).map((key) => [key, manifest[key]])) as Partial<
    Pick<Manifest, Key>
  >;

interface TsConfig {
  extends?: string;
  compilerOptions?: object;
  include?: string[];
}

/** One tsconfig.json in place of an app's and the ones that it extends. @throws Error if one of them is not JSON */
export function mergedTsConfig(root: string, path: string): TsConfig {
  const { extends: base, compilerOptions, include = [] } = readJson(root, path) as TsConfig;
  const inherited = base === undefined ? {} : mergedTsConfig(root, posix.join(posix.dirname(path), base));
  return {
    compilerOptions: { ...inherited.compilerOptions, ...compilerOptions },
    include: [...new Set([...include.filter((folder) => folder !== 'vendor'), 'vendor'])],
  };
}
