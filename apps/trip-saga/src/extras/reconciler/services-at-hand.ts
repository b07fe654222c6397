import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { joinStack } from '@repo/dev-stack';
import { createPool } from '@repo/operations';
import { readConfig } from '@repo/worker-kit';
import { type Service, services } from '../../contract.ts';
import { servicesConfig } from '../../services.ts';
import { createApp } from '../booking-service/app.ts';
import { cab } from '../booking-service/cab.ts';
import { flight } from '../booking-service/flight.ts';
import { hotel } from '../booking-service/hotel.ts';
import { provisionServices } from '../local-services.ts';
import type { Urls } from './stores.ts';

const definitions = { flight, hotel, cab };

/**
 * Runs a command that needs the three services: those of FLIGHT_URL, HOTEL_URL and CAB_URL, or else the ones that this
 * repository brings along, on this clone's data, for as long as the command runs.
 * @throws OperatorError if only some of the three are set
 */
export async function withServices<Result>(command: (urls: Urls) => Promise<Result>): Promise<Result> {
  const { FLIGHT_URL, HOTEL_URL, CAB_URL } = process.env;
  if (FLIGHT_URL || HOTEL_URL || CAB_URL) return command(readConfig(servicesConfig));
  const stack = await joinStack({ need: ['postgres'] });
  const close: (() => Promise<unknown>)[] = [];
  try {
    const databases = await provisionServices(stack.postgres?.url ?? '', (name) => stack.secret(name));
    const open = async (service: Service) => {
      const pool = createPool({ connectionString: databases[service] });
      close.push(() => pool.end());
      const server = createServer(getRequestListener(createApp(definitions[service], pool).fetch));
      close.push(() => closed(server));
      return listening(server);
    };
    const [FLIGHT_URL, HOTEL_URL, CAB_URL] = (await Promise.all(services.map(open))) as [string, string, string];
    return await command({ FLIGHT_URL, HOTEL_URL, CAB_URL });
  } finally {
    for (const one of close.toReversed()) await one();
    await stack.leave();
  }
}

function listening(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Loopback only: there is no authentication.
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
