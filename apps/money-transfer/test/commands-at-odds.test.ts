import { temporalAddress } from '@repo/testing';
import { expect, it, vi } from 'vitest';
import * as commands from '../src/extras/commands.ts';
import { reconcileCommand } from '../src/extras/reconcile-command.ts';
import { sendOrFind } from '../src/extras/transfers.ts';
import { realServer } from './real-server.ts';
import { saying } from './saying.ts';

const { world, client, handleOf, start, startWorker, stopWorker } = await realServer('transfer-commands-at-odds');
Object.assign(process.env, world.env, { TEMPORAL_ADDRESS: temporalAddress() });

it('a reconciler that finds what only a person can decide: exit code 3', async () => {
  const { reference, from, amount, currency } = await world.aTransfer();
  const at = new Date().toISOString();
  await world.ledger.withdraw({ key: world.fresh('key'), at, reference, account: from, amount, currency });
  const { code, out } = await saying(() => reconcileCommand({ grace: '0s', dryRun: true, json: true }));
  expect(code).toBe(3);
  const found = out.split('\n').map((line) => JSON.parse(line));
  expect(found.filter((one) => one.reference === reference)).toMatchObject([{ action: 'needs attention' }]);
});

it('status, when the ledger does not agree with how the workflow ended: exit code 3, and what puts it right', async () => {
  const request = await world.aTransfer({ amount: 1_250_000 });
  await sendOrFind(client, request, 'ada');
  await handleOf(request).terminate();
  // A second run, as the stock command makes it unless told otherwise.
  await start({ ...request, to: await world.account() });
  expect(await handleOf(request).result()).toMatchObject({ status: 'refused', reason: { type: 'LedgerMismatch' } });
  const status = () => saying(() => commands.statusCommand(request.reference, {}));
  expect(await status()).toMatchObject({
    code: 3,
    out: expect.stringMatching(/rests in suspense\.\nThey do not agree: .* is refused, .*\n.* reconcile$/),
  });
  expect((await saying(() => reconcileCommand({ grace: '0s' }))).out).toMatch(
    new RegExp(`^${request.reference}: .* given back: its workflow is completed$`, 'm'),
  );
  expect(await status()).toMatchObject({ code: 0, out: expect.not.stringContaining('They do not agree') });
  expect(await world.balances(request.from)).toEqual([1_250_000]);
});

it('an approval that no worker answers: it may be recorded, and is carried out when one is back', async () => {
  const request = await world.aTransfer({ amount: 1_250_000 });
  await sendOrFind(client, request, 'ada');
  await stopWorker();
  const { reference } = request;
  const asked = await saying(() => commands.decideCommand('approve', reference, { by: 'Carol' })).finally(startWorker);
  expect(asked).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(
      new RegExp(`^Nobody has answered .* in 3 s\\. It may be recorded, .*\\n→ .* status ${reference}$`),
    ),
  });
  expect(await handleOf(request).result()).toMatchObject({ status: 'completed' });
});

it('a start that the server has taken for a repetition is asked for once more', async () => {
  const request = await world.aTransfer();
  expect(await sendOrFind(client, request, 'ada')).toMatchObject({ status: 'completed' });
  const asked = vi
    .spyOn(client.workflow, 'executeUpdateWithStart')
    .mockRejectedValueOnce(new Error('Workflow was not started: StartDeduped'));
  expect(await sendOrFind(client, request, 'ada')).toMatchObject({ status: 'completed' });
  expect(asked).toHaveBeenCalledTimes(2);
  asked.mockRestore();
});

it('a namespace that is not there: what to do', async () => {
  vi.stubEnv('TEMPORAL_NAMESPACE', 'nope');
  expect(await saying(() => commands.listCommand({}))).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(/^Temporal at .* has no namespace nope\.\n→ .*TEMPORAL_NAMESPACE/),
  });
  vi.unstubAllEnvs();
});
