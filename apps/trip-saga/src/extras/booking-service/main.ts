import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createPool } from '@repo/operations';
import { z } from 'zod';
import { createApp } from './app.ts';
import { cab } from './cab.ts';
import { FaultPoints } from './fault-points.ts';
import { flight } from './flight.ts';
import { hotel } from './hotel.ts';

// One service: `main.ts flight`, `main.ts hotel` or `main.ts cab`. Each has a process, a schema and a role of its own.
// With `--fault-points` behind it, whoever can reach it can make it fail: that is for demonstrations.

const services = { flight, hotel, cab };

const portRange = 'PORT must be a whole number from 0 to 65535';

const configuration = z.object({
  service: z.enum(['flight', 'hotel', 'cab'], 'the first argument must be flight, hotel or cab'),
  databaseUrl: z.url({ protocol: /^postgres(ql)?$/, error: 'DATABASE_URL must be a postgres:// URL' }),
  flag: z.literal('--fault-points', 'the second argument can only be --fault-points').optional(),
  port: z.coerce.number(portRange).int(portRange).min(0, portRange).max(65_535, portRange).default(0),
});

const { DATABASE_URL: databaseUrl, PORT: port } = process.env;
const [, , service, flag] = process.argv;
const parsed = configuration.safeParse({ service, flag, databaseUrl, port: port || undefined });
if (parsed.success) serve(parsed.data);
else stopWith(parsed.error.issues.map(({ message }) => message).join('\n'));

function serve(config: z.infer<typeof configuration>): void {
  const pool = createPool(
    { connectionString: config.databaseUrl, application_name: `${config.service}-service` },
    (error) => console.error(`${config.service} service: lost a database connection: ${error.message}`),
  );
  const faults = config.flag && new FaultPoints();
  const server = createServer(getRequestListener(createApp(services[config.service], pool, faults).fetch));
  server.on('error', (error) => stopWith(`${config.service} service: ${error.message}`));
  // Loopback only: there is no authentication.
  server.listen(config.port, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    console.log(`${config.service} service listens on http://127.0.0.1:${port}`);
    process.send?.({ listening: port });
  });

  let draining = false;
  const drain = () => {
    if (draining) return;
    draining = true;
    // Whoever does not get an answer asks again with the same key.
    setTimeout(() => process.exit(1), 10_000).unref();
    // A connection that is kept alive would hold the server open for another 5 s after its last answer.
    setInterval(() => server.closeIdleConnections(), 50).unref();
    server.close(() => pool.end().then(() => process.exit(0)));
  };
  process.on('SIGTERM', drain);
  // Under a parent, Ctrl-C reaches this process too; then the parent decides in which order its children stop.
  process.on('SIGINT', () => process.connected || drain());
  process.on('disconnect', drain);
  // The parent may have died while this program was still being loaded.
  if (process.connected === false) drain();
}

function stopWith(message: string): void {
  console.error(message);
  process.exit(1);
}
