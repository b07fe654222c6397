import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokenPromise, expectSame, type Scenario, until } from '@repo/dev-stack';
import type { Environment } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { approve, cancel, endOf } from '../releases.ts';
import {
  approved,
  approver,
  aRelease,
  expectAllServed,
  expectServed,
  expectStatus,
  releaseBeforeOurEyes,
  whatWasThere,
} from './before-our-eyes.ts';

/** An environment that is not well, or a release that somebody stops in the middle of one. */
export const deployScenarios: Scenario<Demo>[] = [
  {
    name: 'bad-deploy',
    title: 'The configuration for qc lacks a value that the page needs',
    promises: 'qc goes back to what it had, prod is never touched, and dev and test have the new release.',
    async run(demo, session) {
      const before = await whatWasThere(session, demo);
      const file = join(demo.folder, 'configs/qc/hello-web.json');
      const text = await readFile(file, 'utf8');
      demo.mendLater(() => writeFile(file, text));
      const { greeting: _, ...rest } = JSON.parse(text);
      await writeFile(file, JSON.stringify(rest));
      const prod = await generationOf(demo, 'prod');
      const request = await aRelease(session, demo);
      const { release } = request;
      const ending = await releaseBeforeOurEyes(
        session,
        demo,
        request,
        async ({ announce }) => {
          await announce(`configs/qc/hello-web.json has no greeting; ${approver} approves, for nobody has seen it`);
          return approved(demo, request);
        },
        ['qc'],
      );
      expectStatus(ending, 'failed');
      const why = ending.summary.environments.find(({ environment }) => environment === 'qc')?.reason?.message ?? '';
      if (!why.includes('greeting')) throw new BrokenPromise('why qc has failed', 'the value greeting is missing', why);
      await expectServed(demo, { dev: release, test: release, qc: before, prod: before });
      expectSame('generation of prod', prod, await generationOf(demo, 'prod'));
    },
  },
  {
    name: 'flaky',
    title: 'test says twice that it is ill, and is well then',
    promises: 'it is asked again, and the release goes on: all four serve it.',
    async run(demo, session) {
      await whatWasThere(session, demo);
      const request = await aRelease(session, demo);
      demo.mendLater(() => demo.hosts.setFaults('test', { unhealthy: 0 }));
      const ending = await releaseBeforeOurEyes(
        session,
        demo,
        request,
        async ({ announce }) => {
          // One answer for each deployable, and two looks at them.
          await demo.hosts.setFaults('test', { unhealthy: 4 });
          await announce(`test will answer 503 to the first two looks at its health; ${approver} approves`);
          return approved(demo, request);
        },
        ['test'],
      );
      expectStatus(ending, 'released');
      const { steps } = ending.summary.environments.find(({ environment }) => environment === 'test') ?? { steps: [] };
      const looks = steps.find(({ step }) => step === 'verify')?.attempts;
      expectSame('how often test was asked whether it is well', 3, looks);
      await expectAllServed(demo, request.release);
    },
  },
  {
    name: 'cancel-midway',
    title: 'The release is cancelled while qc is being switched',
    promises: 'qc goes back to what it had, prod is never touched, and dev and test keep the new release.',
    async run(demo, session) {
      const { client, hosts } = demo;
      const before = await whatWasThere(session, demo);
      const request = await aRelease(session, demo);
      const { release } = request;
      demo.mendLater(() => hosts.setFaults('qc', { holdActivations: false }));
      const ending = await releaseBeforeOurEyes(
        session,
        demo,
        request,
        async ({ announce }) => {
          await hosts.setFaults('qc', { holdActivations: true });
          await approve(client, release, { by: approver });
          await until('the switch of qc on its way', async () => (await hosts.held('qc')) || undefined);
          await announce(`the switch of qc is on its way; release cancel ${release}`);
          await cancel(client, release, approver);
          await hosts.setFaults('qc', { holdActivations: false });
          await announce('qc switches after all, for the request had reached it');
          return endOf(client, release);
        },
        ['qc'],
      );
      expectStatus(ending, 'cancelled');
      await expectServed(demo, { dev: release, test: release, qc: before, prod: before });
    },
  },
];

async function generationOf({ services }: Demo, environment: Environment): Promise<number> {
  return (await services.environments.of(environment).state(AbortSignal.timeout(5_000))).generation;
}
