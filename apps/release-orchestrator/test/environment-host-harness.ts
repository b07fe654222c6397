import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledProgram, type Child, spawnChild } from '@repo/dev-stack';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { serveEnvironment } from '../src/extras/environment-host/serve.ts';
import { packArtifact } from '../src/services/artifact.ts';
import { configHash } from '../src/services/config-values.ts';
import { sha256 } from '../src/services/digests.ts';
import { environmentsOverHttp } from '../src/services/environment-client.ts';
import type { Config, DeployedSet, EnvironmentHost } from '../src/services.ts';
import { aFolder } from './services-folders.ts';

const token = 'a token for tests only';
const program = fileURLToPath(new URL('../src/extras/environment-host/main.ts', import.meta.url));

/** A real host, on a port and in a folder of its own, gone with the test. */
export interface HostAtHand {
  host: EnvironmentHost;
  url: string;
  folder: string;
  token: string;
  /** What a client without the token gets. */
  get(path: string): Promise<{ status: number; text: string; headers: Headers }>;
  /** With the token, and whatever body. */
  send(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown }>;
  /** Names of the unpacked versions, also of what is half unpacked. */
  versions(): Promise<string[]>;
}

interface HostOptions {
  /** Of a host that ran before; a new and empty one otherwise. */
  folder?: string;
  withFaults?: boolean;
  /** How long the host keeps what is not in use. */
  unusedMs?: number;
}

/** In this process, which starts sooner. */
export async function startHost(options: HostOptions = {}): Promise<HostAtHand> {
  const { at, stop } = await serve(options.folder ?? (await aFolder()), options);
  onTestFinished(stop);
  return at;
}

/** One host for all tests of a file that leave it as it was. */
export function sharedHost(): () => HostAtHand {
  let shared: Awaited<ReturnType<typeof serve>> | undefined;
  beforeAll(async () => {
    shared = await serve(await mkdtemp(join(tmpdir(), 'releases-')), {});
  });
  afterAll(async () => {
    await shared?.stop();
    await rm(shared?.at.folder ?? '', { recursive: true, force: true });
  });
  return () => shared?.at as HostAtHand;
}

/** In a process of its own, which can be killed. @param options.env in place of what a host is usually told */
export async function startProcess(
  options: HostOptions & { env?: Record<string, string | undefined> } = {},
): Promise<HostAtHand & { child: Child }> {
  const folder = options.folder ?? (await aFolder());
  const child = await spawnChild({
    name: 'environment host',
    file: await bundledProgram(program),
    args: options.withFaults ? ['--faults'] : [],
    env: { ENVIRONMENT: 'dev', ENVIRONMENT_TOKEN: token, DATA_DIR: folder, PORT: '0', ...options.env },
    logFile: join(folder, 'host.log'),
  });
  onTestFinished(async () => void (await child.kill()));
  return { ...atHand(folder, child.message.listening ?? 0), child };
}

async function serve(folder: string, { withFaults = false, unusedMs = 60 * 60 * 1000 }: HostOptions) {
  const { server, listening } = serveEnvironment({ environment: 'dev', token, folder, port: 0, unusedMs, withFaults });
  const at = atHand(folder, await listening);
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { at, stop };
}

function atHand(folder: string, port: number): HostAtHand {
  const url = `http://127.0.0.1:${port}`;
  return {
    host: patient(environmentsOverHttp({ dev: { url, token } }).of('dev')),
    url,
    folder,
    token,
    async get(path) {
      const response = await fetch(url + path, { redirect: 'manual' });
      return { status: response.status, text: await response.text(), headers: response.headers };
    },
    async send(method, path, body, headers = { authorization: `Bearer ${token}` }) {
      const sent = typeof body === 'string' || body === undefined ? body : Buffer.from(body);
      const response = await fetch(url + path, { method, headers, body: sent });
      return { status: response.status, body: await response.json() };
    },
    versions: () => readdir(join(folder, 'versions')),
  };
}

/** Asks again where a busy machine has let the client's patience run out. */
function patient(host: EnvironmentHost): EnvironmentHost {
  const asked = async (call: () => unknown): Promise<unknown> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await call();
      } catch (error) {
        const isLate = ((error as Error).cause as Error | undefined)?.name === 'TimeoutError';
        if (!isLate || tries === 5) throw error;
      }
    }
  };
  return new Proxy(host, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (...args: unknown[]) => asked(() => value(...args)) : value;
    },
  });
}

export interface Version {
  artifact: string;
  archive: Buffer;
}

/** A version with these files; a number gives a page that says it. */
export function version(files: Record<string, string> | number): Version {
  const all = typeof files === 'number' ? { 'index.html': `<p>version ${files} {{text}}` } : files;
  const archive = packArtifact(new Map(Object.entries(all).map(([path, text]) => [path, Buffer.from(text)])));
  return { artifact: sha256(archive), archive };
}

export const config = (values: Record<string, string> = { text: 'as configured' }): Config => ({
  hash: configHash(values),
  values,
});

/** A signal for calls that nobody takes back. */
export const go = (): AbortSignal => AbortSignal.timeout(20_000);

/** Uploads versions by the names of their deployables, each with a configuration. @returns the set that they make */
export async function stage(
  host: EnvironmentHost,
  versions: Record<string, Version>,
  configuration = config(),
): Promise<DeployedSet> {
  await host.putConfig(configuration, go());
  for (const { artifact, archive } of Object.values(versions)) await host.putArtifact(artifact, archive, go());
  return setOf(versions, configuration);
}

export const setOf = (versions: Record<string, Version>, configuration = config()): DeployedSet =>
  Object.fromEntries(
    Object.entries(versions).map(([name, { artifact }]) => [name, { artifact, config: configuration.hash }]),
  );
