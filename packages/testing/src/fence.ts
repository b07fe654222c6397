import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { HistoryJson } from './command-words.ts';
import { workflowBundle } from './environment.ts';
import { quietRuntime } from './quiet-runtime.ts';
import { whereTheyPart } from './where-they-part.ts';

/** npm packages that a workflow bundle may hold; each is pure. */
const harmless = ['@temporalio/common', '@temporalio/workflow', 'nexus-rpc', 'long', 'ms', 'zod'];

/** What would let workflow code reach the network, the machine, or time that is not the workflow's. */
const waysOutside = [
  ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'Worker', 'BroadcastChannel', 'MessageChannel'],
  ...['process', 'require', 'module', 'Buffer', 'Deno', 'Bun', 'navigator', 'localStorage', 'sessionStorage'],
  ...['setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'crypto', 'Temporal'],
  ...['WeakRef', 'FinalizationRegistry'],
];

/**
 * ALL-3: two tests of the app's workflow bundle: what is in it, and what its code finds in the sandbox. The bundler and
 * the sandbox are the fence; these tests notice a hole in it. They are no guard against malice: code that wants out of a
 * `node:vm` context finds a way.
 *
 * @param allowed further npm packages that are known to be pure
 */
export function describeFence({ allowed = [] }: { allowed?: string[] } = {}): void {
  describe('ALL-3 workflow code', () => {
    const code = () => readFile(workflowBundle().codePath, 'utf8');
    it('imports nothing that reaches out', async () => {
      expect(strangers(await code(), allowed)).toEqual([]);
    });
    it('finds no way out of its sandbox, and makes none', async () => {
      expect(await openings(await code())).toEqual([]);
    });
  });
}

/** The npm packages in a workflow bundle, by its source map, that are not known to be pure. */
export function strangers(code: string, allowed: string[] = []): string[] {
  const map = /sourceMappingURL=data:application\/json;[^,]*base64,([\w+/=]+)/.exec(code)?.[1];
  if (map === undefined) throw new Error('The workflow bundle has no inline source map: its modules cannot be listed.');
  const { sources } = JSON.parse(Buffer.from(map, 'base64').toString()) as { sources: string[] };
  const packages = sources.map(
    (source) =>
      /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? (source.startsWith('external ') ? source : ''),
  );
  if (!packages.includes('@temporalio/workflow')) throw new Error('The source map does not name the modules.');
  return [...new Set(packages)].filter((name) => name !== '' && ![...harmless, ...allowed].includes(name));
}

/** Runs in the sandbox, after the app's modules were loaded. Failing is how it gets its findings out. */
const probe = `
;{
  const before = new Set(Object.getOwnPropertyNames(globalThis));
  const imported = __TEMPORAL__.importWorkflows;
  const found = (name) => {
    try {
      return typeof new globalThis[name]({}) !== 'undefined';
    } catch (error) {
      return error.name !== 'DeterminismViolationError';
    }
  };
  __TEMPORAL__.importWorkflows = () => {
    const workflows = imported();
    const fenceProbe = async () => {
      const present = ${JSON.stringify(waysOutside)}.filter((name) => name in globalThis && found(name));
      const added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name) && !name.startsWith('__'));
      throw new Error(JSON.stringify({ present, added }));
    };
    return { ...workflows, fenceProbe };
  };
}
`;

/** Globals through which code of this bundle could reach out of the sandbox, and globals that it makes itself; in words. */
export async function openings(code: string): Promise<string[]> {
  const end = code.lastIndexOf('//# sourceMappingURL');
  if (end < 0) throw new Error('The workflow bundle does not end as expected.');
  const probed = code.slice(0, end) + probe + code.slice(end);
  const said = (await firstTask(probed, 'fenceProbe')) ?? '';
  if (!said.startsWith('{')) throw new Error(`The probe did not run: ${said}`);
  const { present, added } = JSON.parse(said) as { present: string[]; added: string[] };
  return [...new Set([...present.map((name) => `has ${name}`), ...added.map((name) => `makes ${name}`)])];
}

/**
 * Runs the first task of a workflow without any server.
 * @returns with what words the task failed; undefined if it did not
 */
export async function firstTask(code: string, workflowType: string): Promise<string | undefined> {
  const eventTime = '2026-01-01T00:00:00Z';
  const event = (eventId: number, type: string, attributes: object) => ({
    eventId: String(eventId),
    eventTime,
    eventType: `EVENT_TYPE_${type}`,
    ...attributes,
  });
  const taskQueue = { name: 'none' };
  // Otherwise the failure that is looked for would be logged as well.
  quietRuntime({ silent: true });
  const history: HistoryJson = {
    events: [
      event(1, 'WORKFLOW_EXECUTION_STARTED', {
        workflowExecutionStartedEventAttributes: {
          workflowType: { name: workflowType },
          taskQueue,
          workflowTaskTimeout: '10s',
        },
      }),
      event(2, 'WORKFLOW_TASK_SCHEDULED', { workflowTaskScheduledEventAttributes: { taskQueue } }),
      event(3, 'WORKFLOW_TASK_STARTED', { workflowTaskStartedEventAttributes: { scheduledEventId: 2 } }),
      event(4, 'WORKFLOW_TASK_COMPLETED', {
        workflowTaskCompletedEventAttributes: { scheduledEventId: 2, startedEventId: 3 },
      }),
      event(5, 'WORKFLOW_EXECUTION_COMPLETED', {
        workflowExecutionCompletedEventAttributes: { workflowTaskCompletedEventId: 4 },
      }),
    ],
  };
  return (await whereTheyPart({ code }, history, 'none'))?.said;
}
