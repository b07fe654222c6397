/** A history as JSON, as `temporal workflow show --output json` writes it. */
export interface HistoryJson {
  events: HistoryEvent[];
}

/** One event; its attributes are below a key of their own for each type. */
export interface HistoryEvent {
  eventId: string | number;
  eventType: string;
  [attributes: string]: unknown;
}

/** Workflow code may look at its own id, so that a replay has to have the recorded one. Not every server records it. */
export function workflowIdIn({ events }: HistoryJson): string | undefined {
  return (events[0]?.workflowExecutionStartedEventAttributes as { workflowId?: string } | undefined)?.workflowId;
}

/** Something that workflow code did, by what the history says or by what the code does now. */
export interface Command {
  event: number;
  words: string;
}

/** Of all attributes, those that are told. */
interface Attributes {
  activityType?: { name: string };
  workflowType?: { name: string };
  startToFireTimeout?: string;
  signalName?: string;
  markerName?: string;
  details?: { [name: string]: { payloads?: { data: string }[] } };
}

type Words = (attributes: Attributes) => string;

/** What is told by `code-notes.ts` too. */
const noted: { [eventType: string]: Words } = {
  ACTIVITY_TASK_SCHEDULED: (of) => `schedules activity ${of.activityType?.name}`,
  TIMER_STARTED: (of) => `starts a timer of ${of.startToFireTimeout?.replace('s', ' s')}`,
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: (of) => `starts child workflow ${of.workflowType?.name}`,
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: (of) => `sends signal ${of.signalName}`,
  MARKER_RECORDED: (of) =>
    of.markerName === 'core_local_activity' ? `runs local activity ${markerData(of).activity_type}` : '',
  WORKFLOW_EXECUTION_COMPLETED: () => 'completes',
  WORKFLOW_EXECUTION_FAILED: () => 'fails',
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: () => 'continues as new',
};

const others: { [eventType: string]: Words } = {
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: () => 'upserts search attributes',
  WORKFLOW_PROPERTIES_MODIFIED: () => 'changes its memo',
  MARKER_RECORDED: (of) =>
    of.markerName === 'core_patch' ? patchWords(markerData(of).id) : `records the marker ${of.markerName}`,
  TIMER_CANCELED: () => 'cancels a timer',
  ACTIVITY_TASK_CANCEL_REQUESTED: () => 'cancels an activity',
  WORKFLOW_EXECUTION_CANCELED: () => 'ends cancelled',
};

/** What the SDK's core keeps in a marker of its own, whatever it names it. */
function markerData({ details = {} }: Attributes): { activity_type?: string; id?: string } {
  for (const { payloads } of Object.values(details)) {
    try {
      return JSON.parse(Buffer.from(payloads?.[0]?.data ?? '', 'base64').toString());
    } catch {
      // Not this one.
    }
  }
  return {};
}

/** How a history tells of `patched(id)`. */
export const patchWords = (id = '') => `asks for the patch ${id}`;

const typeOf = ({ eventType }: HistoryEvent) => eventType.replace('EVENT_TYPE_', '');

function attributesOf(event: HistoryEvent): Attributes {
  const key = Object.keys(event).find((name) => name.endsWith('EventAttributes'));
  return (key === undefined ? {} : event[key]) as Attributes;
}

/** The commands in a history that code can be watched giving, in their order. */
export const commandsIn = ({ events }: HistoryJson): Command[] =>
  events
    .map((event) => ({ event: Number(event.eventId), words: noted[typeOf(event)]?.(attributesOf(event)) ?? '' }))
    .filter(({ words }) => words !== '');

/** What an event says that the workflow did. */
export function wordsFor(event: HistoryEvent): string {
  const type = typeOf(event);
  const attributes = attributesOf(event);
  return noted[type]?.(attributes) || others[type]?.(attributes) || type.toLowerCase().replaceAll('_', ' ');
}

/** Whether two commands match for Temporal: a timer may have another duration, a failure other words. */
export function alike(one: string, other: string): boolean {
  const kind = (words: string) => words.replace(/^(starts a timer|fails).*/s, '$1');
  return kind(one) === kind(other);
}

/** The names that the SDK's core has for what code does, where `code-notes.ts` says nothing of it. */
const machines: [RegExp, string][] = [
  [/UpsertWorkflowSearchAttributes/, 'upserts search attributes'],
  [/ModifyWorkflowProperties/, 'changes its memo'],
  [/Version|Patch/, 'asks for a patch that this history does not know'],
  [/Cancel workflow/i, 'ends cancelled'],
  [/Complete workflow/i, 'completes'],
  [/Fail workflow/i, 'fails'],
  [/No command scheduled/, 'does nothing more: it waits, or it has ended'],
];

/** What the code does, as far as Temporal's own message says so. */
export const wordsOfCore = (message: string): string =>
  machines.find(([pattern]) => pattern.test(message))?.[1] ?? 'does something else';
