import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConfig } from '@repo/worker-kit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { environmentsConfig, environmentsOverHttp } from '../src/services/environment-client.ts';
import { refusalTypes } from '../src/services/refused.ts';

const token = 'a secret of sixteen';

/** An environment whose host answers every request like this; undefined hangs up. */
async function answering(status: number | undefined, body: string, headers: Record<string, string> = {}) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    if (status === undefined) request.socket.destroy();
    else response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host: environmentsOverHttp({ dev: { url, token } }).of('dev'), asked, url };
}

const go = () => AbortSignal.timeout(20_000);

describe('environments', () => {
  const read = (text: string) => readConfig(z.object({ ENVIRONMENTS: environmentsConfig }), { ENVIRONMENTS: text });

  it('are read from the configuration', () => {
    const text = JSON.stringify({ dev: { url: 'http://127.0.0.1:9401/', token } });
    expect(read(text)).toEqual({ ENVIRONMENTS: { dev: { url: 'http://127.0.0.1:9401', token } } });
  });

  it.each([
    ['{', /ENVIRONMENTS is not right: must be {"dev"/],
    ['[]', /ENVIRONMENTS is not right: must be {"dev"/],
    ['{"dev":{}}', /ENVIRONMENTS is not right: dev\.url must be an http/],
    [`{"dev":{"url":"ftp://host","token":"${token}"}}`, /dev\.url must be an http\(s\) URL/],
    [`{"dev":{"url":"http://me:pass@host","token":"${token}"}}`, /dev\.url must not have a user name in it/],
    ['{"dev":{"url":"http://host","token":"short"}}', /dev\.token must have at least 16 characters/],
    [`{"d v":{"url":"http://host","token":"${token}"}}`, /d v must be a name: small letters/],
  ])('are not read from %s', (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).not.toThrow(token);
  });

  it('are found by name, and by nothing else', () => {
    const environments = environmentsOverHttp({ dev: { url: 'http://127.0.0.1:1', token } });
    expect(environments.names).toEqual(['dev']);
    expect(environments.of('dev')).toMatchObject({ name: 'dev', url: 'http://127.0.0.1:1' });
    for (const name of ['prod', 'constructor', '']) {
      expect(() => environments.of(name)).toThrow(expect.objectContaining({ type: refusalTypes.unknownEnvironment }));
    }
  });
});

describe('a host', () => {
  it('is told the token, and says no with its reason', async () => {
    const body = JSON.stringify({
      error: { type: 'OlderGeneration', message: 'Generation 1 is older', field: 'generation' },
    });
    const { host, asked } = await answering(409, body);
    const refusal = {
      name: 'Refused',
      type: 'OlderGeneration',
      message: 'dev: Generation 1 is older',
      field: 'generation',
    };
    await expect(host.rollBack(1, go())).rejects.toMatchObject(refusal);
    expect(asked).toEqual([`POST /-/roll-back Bearer ${token}`]);
  });

  it.each<[what: string, status: number | undefined, body: string, message: RegExp]>([
    ['hangs up', undefined, '', /^The environment dev does not answer$/],
    ['answers HTML', 200, '<html>', /^The environment dev answered 200: /],
    ['answers with another shape', 200, '{"state":1}', /^The environment dev answers something else than expected$/],
    [
      'answers without end',
      200,
      JSON.stringify({ generation: 1, text: 'x'.repeat(300_000) }),
      /answered 200: The answer is too long/,
    ],
    [
      'has a fault',
      500,
      '{"error":{"type":"InternalError","message":"A fault"}}',
      /^The environment dev answered 500: A fault$/,
    ],
    ['has another token', 401, '{"error":{"type":"Unauthorised","message":"The token"}}', /answered 401: The token$/],
    ['says no with a word that is not known', 409, '{"error":{"type":"Tired","message":"no"}}', /answered 409: no$/],
  ])('has given no answer if it %s', async (_, status, body, message) => {
    const { host } = await answering(status, body);
    const failure = await host.rollBack(1, go()).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ name: 'Error', message: expect.stringMatching(message) });
    expect(`${failure?.stack}`).not.toContain(token);
  });

  it('is not followed elsewhere', async () => {
    const elsewhere = await answering(200, '{"generation":1}');
    const { host } = await answering(307, '', { location: `${elsewhere.url}/-/state` });
    await expect(host.state(go())).rejects.toThrow('does not answer');
    expect(elsewhere.asked).toEqual([]);
  });

  it('has given no answer if it is not there, or if nobody waits for it any more', async () => {
    const host = environmentsOverHttp({ dev: { url: 'http://127.0.0.1:1', token } }).of('dev');
    await expect(host.state(go())).rejects.toThrow('The environment dev does not answer');
    const { host: slow } = await answering(200, '{"generation":1}');
    await expect(slow.state(AbortSignal.abort())).rejects.toThrow('The environment dev does not answer');
  });
});
