import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ensureProgram, freePorts } from '@repo/dev-stack';

/** A SpiceDB of a test's own, in memory, that may be killed. */
export interface SpiceDbServer {
  endpoint: string;
  port: number;
  token: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Resolves when it serves. */
export async function startSpiceDb(options: { port?: number; args?: string[] } = {}): Promise<SpiceDbServer> {
  const [port = 0] = options.port ? [options.port] : await freePorts(1);
  const { path } = await ensureProgram('spicedb');
  const token = 'key-that-nobody-may-read';
  // The shell waits for the end of its input, which comes with this process, however that ends.
  const child = spawn(
    '/bin/sh',
    ['-c', '"$@" & read -r line; kill -KILL $!; wait', 'spicedb', path, ...serve(port), ...(options.args ?? [])],
    {
      env: { PATH: process.env.PATH, SPICEDB_GRPC_PRESHARED_KEY: token },
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => {
    child.stdin.end();
    return exited;
  };
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes('grpc server started serving')) {
      child.stderr.resume();
      return { endpoint: `127.0.0.1:${port}`, port, token, kill };
    }
    if (/"level":"(fatal|error)"/.test(line)) break;
    lines.push(line);
  }
  await kill();
  throw new Error(`SpiceDB does not start:\n${lines.slice(-5).join('\n')}`);
}

const serve = (port: number) => [
  ...['serve', '--grpc-addr', `127.0.0.1:${port}`, '--http-enabled=false', '--metrics-enabled=false'],
  ...['--telemetry-endpoint', '', '--skip-release-check', '--datastore-engine', 'memory', '--log-format', 'json'],
];
