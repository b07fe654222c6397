import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BrokenPromise,
  expectSame,
  followTimeline,
  type Session,
  say,
  untilTemporalAnswers,
  type Watched,
  watch,
} from '@repo/dev-stack';
import {
  type Environment,
  environments,
  environmentWorkflowId,
  type ReleaseEnding,
  type ReleaseInput,
  type ReleaseOutcome,
  releaseWorkflowId,
} from '../../contract.ts';
import { disagreements } from '../agreement.ts';
import type { Demo } from '../demo.ts';
import { outcomeInWords, summaryLines } from '../release-words.ts';
import { approve, createOrFind, endOf } from '../releases.ts';
import { sameByHand } from '../same-by-hand.ts';

/** Whoever asks for the releases of the scenarios, and who approves them where no person is asked. */
export const requester = 'ada';
export const approver = 'carol';

const page = 'deployables/hello-web/index.html';

/** A release of both deployables, with a page that nobody has built before: it says of which release it is. */
export async function aRelease(
  session: Session,
  demo: Demo,
  to: readonly Environment[] = environments,
): Promise<ReleaseInput> {
  const release = session.newId('r');
  const file = join(demo.folder, page);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/<main[^>]*>/, `<main data-release="${release}">`));
  demo.releases.push(release);
  const deployables = ['hello-web', 'status-page'].map((name) => ({ name, source: `deployables/${name}` }));
  return { release, deployables, environments: [...to], requestedBy: requester };
}

/** What all four have before something is broken: a release of which nothing is shown but that it is there. */
export async function whatWasThere(session: Session, demo: Demo): Promise<string> {
  const request = await aRelease(session, demo);
  await waitsForApproval(demo, request);
  expectStatus(await approved(demo, request), 'released');
  await expectServed(demo, Object.fromEntries(environments.map((one) => [one, request.release])));
  say(session, `${environments.join(', ')} serve ${request.release}`);
  return request.release;
}

/** Starts a release, which is built and documented, and rests. */
export async function waitsForApproval({ client }: Demo, request: ReleaseInput): Promise<string> {
  const outcome = await untilTemporalAnswers(() => createOrFind(client, request, requester));
  return expectStatus(outcome, 'waiting-for-approval').document;
}

/** Approves it, and waits for its end. */
export async function approved({ client }: Demo, { release }: ReleaseInput): Promise<ReleaseEnding> {
  await approve(client, release, { by: approver });
  return untilTemporalAnswers(() => endOf(client, release));
}

/**
 * Starts a release and plays with it while its steps are shown; prints its summary, and says how to do the same by hand.
 * @param play goes on from where it waits for an approval, and resolves with what the scenario goes on with
 * @param closely environments whose own steps are shown as well, by their own clock
 */
export async function releaseBeforeOurEyes<Result>(
  session: Session,
  demo: Demo,
  request: ReleaseInput,
  play: (watched: Watched, document: string) => Promise<Result>,
  closely: readonly Environment[] = [],
): Promise<Result> {
  const { client } = demo;
  const { release, deployables, environments: to } = request;
  const workflowId = releaseWorkflowId(release);
  session.print(`  ${deployables.map(({ name }) => name).join(', ')} to ${to.join(', ')}; workflow ${workflowId}`);
  session.print('');
  const timelines = closely.map((environment) => {
    const print = (line: string) => session.print(`  ${environment.padEnd(4)} ${line}`);
    const workflowId = environmentWorkflowId(release, environment);
    return followTimeline(client, { workflowId, print, appearTimeoutMs: 240_000 });
  });
  const result = await watch(session, client, workflowId, async (watched) => {
    const played = await play(watched, await waitsForApproval(demo, request));
    await Promise.all(timelines.map((one) => one.caughtUp()));
    return played;
  }).finally(() => Promise.all(timelines.map((one) => one.stop())));
  await showSummary(session, demo, release);
  session.print('');
  for (const line of await sameByHand(session, demo, request).catch(() => [])) session.print(line);
  return result;
}

/** Of one that has come to an end. */
async function showSummary(session: Session, { client }: Demo, release: string): Promise<void> {
  const ending = await endOf(client, release).catch(() => undefined);
  if (!ending) return;
  session.print('');
  session.print(`  ${outcomeInWords(ending)}`);
  for (const line of summaryLines(ending)) session.print(`    ${line}`);
}

/** @throws BrokenPromise unless the release has ended, or waits, like this */
export function expectStatus<Status extends ReleaseOutcome['status']>(outcome: ReleaseOutcome, expected: Status) {
  if (outcome.status !== expected) throw new BrokenPromise('outcome of the workflow', expected, outcome);
  return outcome as Extract<ReleaseOutcome, { status: Status }>;
}

/** Which release each environment is to serve; undefined for nothing at all. */
export type Expected = Partial<Record<Environment, string | undefined>>;

/**
 * The promise, over HTTP at each environment, whatever the workflow says.
 * @throws BrokenPromise unless each serves that release's page with its own configuration, whole and healthy, and host and
 * records say the same of it
 */
export async function expectServed({ hosts, services }: Demo, expected: Expected): Promise<void> {
  for (const [environment, release] of Object.entries(expected)) {
    const url = hosts.addresses[environment]?.url;
    const response = await fetch(`${url}/hello-web/`);
    const html = await response.text();
    if (release === undefined) expectSame(`what ${url}/hello-web/ answers`, 404, response.status);
    else {
      expectSame(`what ${url}/hello-web/ answers`, 200, response.status);
      expectSame(`release of ${url}/hello-web/`, release, releaseOf(html));
      expectSame(`what is not filled in at ${url}/hello-web/`, null, html.match(/\{\{.*?\}\}/));
      const other = await fetch(`${url}/status-page/healthz`);
      expectSame(`what ${url}/status-page/healthz answers`, 200, other.status);
    }
    const wrong = await disagreements(services.records, services.environments.of(environment));
    expectSame(`what is wrong with ${environment}`, [], wrong);
  }
}

/** Of all four. @throws BrokenPromise */
export const expectAllServed = (demo: Demo, release: string | undefined): Promise<void> =>
  expectServed(demo, Object.fromEntries(environments.map((one) => [one, release])));

/** What people see with `curl`, for each environment. */
export async function showServed(session: Session, { hosts }: Demo): Promise<void> {
  session.print('');
  for (const environment of environments) {
    const url = hosts.addresses[environment]?.url;
    const version = await (await fetch(`${url}/hello-web/version`)).text();
    session.print(`  curl ${url}/hello-web/version    # ${environment}`);
    session.print(`    ${version.trim()}`);
  }
}

/** The release that each environment's page says it is of; nothing where there is no page. */
export async function whatIsServed({ hosts }: Demo): Promise<Expected> {
  const found: Expected = {};
  for (const environment of environments) {
    const html = await (await fetch(`${hosts.addresses[environment]?.url}/hello-web/`)).text();
    found[environment] = releaseOf(html);
  }
  return found;
}

const releaseOf = (html: string): string | undefined => /data-release="?([\w.-]+)/.exec(html)?.[1];

/** What an update was refused with. @throws BrokenPromise if it was not */
export async function refusedWith(update: Promise<unknown>): Promise<{ type: string; message: string }> {
  const outcome = await update.catch((error: Error) => error);
  const failure = outcome instanceof Error ? (outcome.cause as { type?: string; message?: string }) : undefined;
  if (!failure?.type) throw new BrokenPromise('answer to the update', 'a refusal', outcome);
  return { type: failure.type, message: failure.message ?? '' };
}
