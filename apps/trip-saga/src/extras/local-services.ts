import { fileURLToPath } from 'node:url';
import { provisionDatabase } from '@repo/dev-stack';
import { type Service, services } from '../contract.ts';

/** The three booking services as this repository brings them along; elsewhere they belong to somebody else. */

/** The program of all three, started with the service's name: `main.ts hotel`. */
export const serviceProgram = fileURLToPath(new URL('./booking-service/main.ts', import.meta.url));

/**
 * Makes sure that each service has its schema, tables and role.
 * @returns the URL with which each service, and nobody else, reaches its data
 */
export async function provisionServices(
  adminUrl: string,
  secret: (name: string) => Promise<string>,
): Promise<Record<Service, string>> {
  const migrations = fileURLToPath(new URL('../../migrations', import.meta.url));
  const schemas = await Promise.all(
    services.map(async (schema) => ({
      schema,
      role: `${schema}_service`,
      password: await secret(`trip_saga.${schema}`),
      migrations,
    })),
  );
  const urls = await provisionDatabase({ adminUrl, database: 'trip_saga', schemas });
  const urlOf = (service: Service) => urls[`${service}_service`] ?? '';
  return { flight: urlOf('flight'), hotel: urlOf('hotel'), cab: urlOf('cab') };
}
