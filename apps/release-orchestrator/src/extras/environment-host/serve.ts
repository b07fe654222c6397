import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { createApp } from './app.ts';
import { Configs } from './configs.ts';
import { HostFaults } from './faults.ts';
import { takeFolder } from './owner.ts';
import { Pointer } from './pointer.ts';
import { Versions } from './versions.ts';

export interface HostConfiguration {
  environment: string;
  token: string;
  /** Nobody else writes to it. */
  folder: string;
  /** 0 for any that is free. */
  port: number;
  unusedMs: number;
  /** Whether it can be made to fail on request. */
  withFaults: boolean;
}

/** Serves one environment, on loopback only. `listening` gives the port, once everything is as it was left; or the reason. */
export function serveEnvironment(config: HostConfiguration): { server: Server; listening: Promise<number> } {
  const { environment, token, folder, port, unusedMs, withFaults } = config;
  const versions = new Versions(join(folder, 'versions'));
  const configs = new Configs(join(folder, 'configs'));
  const pointer = new Pointer(folder);
  const faults = withFaults ? new HostFaults() : undefined;
  const app = createApp({ environment, token, versions, configs, pointer, unusedMs, ...(faults && { faults }) });
  const server = createServer(
    getRequestListener(async (request) => {
      await listening;
      return app.fetch(request);
    }),
  );
  const listening = (async () => {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    await takeFolder(folder);
    await Promise.all([versions.open(), configs.open(), pointer.open()]);
    return (server.address() as AddressInfo).port;
  })();
  return { server, listening };
}
