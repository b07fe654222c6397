import { expect, it } from 'vitest';
import { environmentsOverHttp } from '../src/services/environment-client.ts';
import { startProcess } from './environment-host-harness.ts';

it('a second host on the same folder does not start: it would go on from what it knows itself', async () => {
  const { folder, child } = await startProcess();
  await expect(startProcess({ folder })).rejects.toThrow(/serves from .* already/);
  await child.kill();
  await startProcess({ folder });
});

it('a host refuses what is meant for another environment, whoever has its token', async () => {
  const { url, host } = await startProcess();
  const prod = environmentsOverHttp({ prod: { url, token: 'a token for tests only' } }).of('prod');
  const signal = () => AbortSignal.timeout(10_000);
  await expect(prod.rollBack(1, signal())).rejects.toThrow(/answered 403: This is dev/);
  expect(await host.state(signal())).toMatchObject({ generation: 0, status: 'empty' });
});
