import { z } from 'zod';
import { isName } from '../../services/names.ts';
import { serveEnvironment } from './serve.ts';

// One environment: a process, a folder and a port of its own. With `--faults` behind it, whoever has its token can make it
// fail: that is for demonstrations.

const unusedMs = 60 * 60 * 1000;
const portRange = 'PORT must be a whole number from 0 to 65535';

const configuration = z.object({
  environment: z
    .string('ENVIRONMENT must be its name')
    .refine(isName, 'ENVIRONMENT must be small letters, digits and "-"'),
  token: z.string('ENVIRONMENT_TOKEN must be set').min(16, 'ENVIRONMENT_TOKEN must have at least 16 characters'),
  folder: z.string('DATA_DIR must be a folder').min(1, 'DATA_DIR must be a folder'),
  port: z.coerce.number(portRange).int(portRange).min(0, portRange).max(65_535, portRange).default(0),
  flag: z.literal('--faults', 'the argument can only be --faults').optional(),
});

const { ENVIRONMENT, ENVIRONMENT_TOKEN, DATA_DIR, PORT } = process.env;
const parsed = configuration.safeParse({
  environment: ENVIRONMENT,
  token: ENVIRONMENT_TOKEN,
  folder: DATA_DIR,
  port: PORT || undefined,
  flag: process.argv[2],
});
if (parsed.success) run(parsed.data);
else stopWith(parsed.error.issues.map(({ message }) => message).join('\n'));

function run({ flag, ...config }: z.infer<typeof configuration>): void {
  const { environment } = config;
  const { server, listening } = serveEnvironment({ ...config, unusedMs, withFaults: flag !== undefined });
  listening.then(
    (port) => {
      console.log(`environment ${environment} is on http://127.0.0.1:${port}`);
      process.send?.({ listening: port });
    },
    (error: Error) => stopWith(`environment ${environment}: ${error.message}`),
  );

  let draining = false;
  const drain = () => {
    if (draining) return;
    draining = true;
    // Whoever does not get an answer asks again.
    setTimeout(() => process.exit(1), 3_000).unref();
    // A connection that is kept alive would hold the server open for another 5 s after its last answer.
    setInterval(() => server.closeIdleConnections(), 50).unref();
    server.close(() => process.exit(0));
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
