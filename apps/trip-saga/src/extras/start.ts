import type { StartDefinition } from '@repo/dev-stack';
import { type Demo, setUp } from './demo.ts';
import { scenarios } from './scenarios.ts';

/** `start`: its own services and worker on the stack of this clone. */
export const start: StartDefinition<Demo> = {
  app: 'trip-saga',
  title: 'trip-saga: flight, hotel and cab, or none',
  needs: ['temporal', 'postgres'],
  scenarios,
  defaultScenario: 'book',
  setUp,
};
