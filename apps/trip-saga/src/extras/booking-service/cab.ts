import { z } from 'zod';
import { city, date, people, type Service } from './requests.ts';

const request = z.strictObject({ city, date, passengers: people });

/** A cab for every four passengers, on one day. */
export const cab: Service<z.infer<typeof request>> = {
  name: 'cab',
  unit: 'cabs',
  capacity: 40,
  request,
  items: ({ city, date, passengers }) => [{ resource: city, date, quantity: Math.ceil(passengers / 4) }],
};
