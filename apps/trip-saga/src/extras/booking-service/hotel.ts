import { z } from 'zod';
import { city, date, dayAfter, nights, people, type Service } from './requests.ts';

const request = z
  .strictObject({ city, arrival: date, departure: date, guests: people })
  .refine(({ arrival, departure }) => departure > arrival, { path: ['departure'], message: 'must be after arrival' })
  .refine(({ arrival, departure }) => nights(arrival, departure) <= 60, {
    path: ['departure'],
    message: 'must be at most 60 nights after arrival',
  });

/** A room for every two guests, each night. */
export const hotel: Service<z.infer<typeof request>> = {
  name: 'hotel',
  unit: 'rooms',
  capacity: 60,
  request,
  items: ({ city, arrival, departure, guests }) =>
    Array.from({ length: nights(arrival, departure) }, (_, night) => ({
      resource: city,
      date: dayAfter(arrival, night),
      quantity: Math.ceil(guests / 2),
    })),
};
