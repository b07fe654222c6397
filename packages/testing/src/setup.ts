import { fileURLToPath } from 'node:url';

/** For `globalSetup` of an app: the servers of `provide.needs` (PostgreSQL), one workflow bundle, and the time-skipping server's program. */
export const appServers = fileURLToPath(new URL('./app-servers.ts', import.meta.url));
