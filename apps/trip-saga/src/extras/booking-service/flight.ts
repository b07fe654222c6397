import { z } from 'zod';
import { city, date, people, type Service } from './requests.ts';

const request = z
  .strictObject({ from: city, to: city, departure: date, return: date, passengers: people })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'must be another city than from' })
  .refine((flight) => flight.return >= flight.departure, { path: ['return'], message: 'must not be before departure' });

/** There and back: a seat for every passenger in both directions. */
export const flight: Service<z.infer<typeof request>> = {
  name: 'flight',
  unit: 'seats',
  capacity: 180,
  request,
  items: ({ from, to, departure, return: back, passengers }) => [
    { resource: `${from}-${to}`, date: departure, quantity: passengers },
    { resource: `${to}-${from}`, date: back, quantity: passengers },
  ],
};
