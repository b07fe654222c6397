import { appendFile, readdir, rm } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { artifactFolder } from '../src/services/artifact-folder.ts';
import { createBuilder } from '../src/services/builder.ts';
import { configFolder } from '../src/services/config-folder.ts';
import type { DeployedSet } from '../src/services.ts';
import { config, go, setOf, stage, startHost, startProcess, version } from './environment-host-harness.ts';
import { aFolder, write } from './services-folders.ts';

describe('what is served', () => {
  const page = '<title>{{name}}</title><p class="{{ colour }}">';
  const site = version({
    'index.html': page,
    'style.css': 'p{color:{{colour}}}',
    'deep/index.html': 'deep',
    'app.js': '1',
  });
  const values = { name: '<script>alert("{{colour}}")</script>', colour: `'&` };

  it('is the files of the version, the pages filled in from the configuration', async () => {
    const { host, get } = await startHost();
    const set = await stage(host, { web: site }, config(values));
    await host.activate({ generation: 1, release: 'r-1', set }, go());

    const index = await get('/web/');
    expect(index).toMatchObject({ status: 200 });
    expect(index.text).toBe(
      '<title>&lt;script&gt;alert(&quot;{{colour}}&quot;)&lt;/script&gt;</title><p class="&#39;&amp;">',
    );
    expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await get('/web/index.html')).toMatchObject({ text: index.text });
    const style = await get('/web/style.css');
    expect(style.text).toBe('p{color:{{colour}}}');
    expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(await get('/web/deep/')).toMatchObject({ status: 200, text: 'deep' });
    const bare = await get('/web');
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/web/']);
    expect(JSON.parse((await get('/')).text)).toEqual({ environment: 'dev', deployables: ['/web/'] });
  });

  it('is said with digests that are worked out from it', async () => {
    const { host, get } = await startHost();
    const set = await stage(host, { web: site }, config(values));
    await host.activate({ generation: 1, release: 'r-1', set }, go());
    expect(JSON.parse((await get('/web/version')).text)).toEqual({
      artifact: site.artifact,
      config: config(values).hash,
    });
    expect(await get('/web/healthz')).toMatchObject({ status: 200 });
    expect(await host.served('web', go())).toEqual({ ...set.web, isHealthy: true });
    expect(await host.served('wob', go())).toBeUndefined();
  });

  it('is nothing else', async () => {
    const { host, get } = await startHost();
    await host.activate({ generation: 1, release: 'r-1', set: await stage(host, { web: site }, config(values)) }, go());
    const paths = ['/wob/', '/wob/version', '/wob/healthz', '/constructor/version', '/web/nothing.html', '/web/deep'];
    paths.push(
      '/web/style.css/x',
      '/web/..%2f..%2f..%2fstate.json',
      '/web/%2e%2e/%2e%2e/manifest.json',
      '/web/.hidden',
    );
    paths.push('/web//index.html', '/-/', '/-/artifacts/..%2f..%2fetc%2fpasswd', '/-/configs/..%2fstate', '/-/faults');
    for (const path of paths) {
      expect([path, await get(path)]).toMatchObject([path, { status: 404, text: expect.stringContaining('NotFound') }]);
    }
  });

  it.each<[how: string, file: string | undefined, reason: RegExp]>([
    ['damaged', 'files/index.html', /another index\.html than its manifest says/],
    ['more than it should be', 'files/new.html', /files\/new\.html, which its manifest does not name/],
    ['without a manifest that can be read', 'manifest.json', /no manifest\.json/],
    ['gone', undefined, /is not there/],
  ])('is not well if a version is %s, until it is uploaded again', async (_, file, reason) => {
    const { host, folder, get } = await startHost();
    const set = await stage(host, { web: site }, config(values));
    await host.activate({ generation: 1, release: 'r-1', set }, go());
    const at = join(folder, 'versions', site.artifact);
    await (file ? appendFile(join(at, file), 'x') : rm(at, { recursive: true }));

    const served = await host.served('web', go());
    expect(served).toMatchObject({ isHealthy: false, reason: expect.stringMatching(reason) });
    expect(served?.artifact).not.toBe(site.artifact);
    expect(await host.hasArtifact(site.artifact, go())).toBe(false);
    expect((await get('/web/healthz')).status).toBe(503);
    const again = host.activate({ generation: 2, release: 'r-2', set }, go());
    await expect(again).rejects.toMatchObject({ type: 'MissingParts', field: 'set' });

    await host.putArtifact(site.artifact, site.archive, go());
    expect(await host.served('web', go())).toEqual({ ...set.web, isHealthy: true });
  });

  it('is not well if the configuration lacks a value, and no page is shown without it', async () => {
    const { host, get } = await startHost();
    const set = await stage(host, { web: site }, config({ name: 'web' }));
    await host.activate({ generation: 1, release: 'r-1', set }, go());
    const reason = 'index.html needs the value colour, which the configuration does not have';
    expect(await host.served('web', go())).toEqual({ ...set.web, isHealthy: false, reason });
    expect(await get('/web/')).toMatchObject({ status: 503, text: expect.stringContaining('MissingValue') });
    expect((await get('/web/app.js')).status).toBe(200);
  });

  it('is not well if the configuration is gone', async () => {
    const { host, folder } = await startHost();
    const set = await stage(host, { web: site }, config(values));
    await host.activate({ generation: 1, release: 'r-1', set }, go());
    await rm(join(folder, 'configs', `${config(values).hash}.json`));
    expect(await host.served('web', go())).toMatchObject({
      isHealthy: false,
      reason: 'The configuration is not there',
    });
    expect((await host.served('web', go()))?.config).not.toBe(config(values).hash);
  });
});

describe('what the app brings along', () => {
  const app = fileURLToPath(new URL('..', import.meta.url));

  it('is well in every environment that it has a configuration for', async () => {
    const { host, get } = await startHost();
    const artifacts = artifactFolder(await aFolder());
    const builder = createBuilder(app, artifacts);
    const configs = configFolder(join(app, 'configs'), await aFolder());
    for (const [index, environment] of (await readdir(join(app, 'configs'))).entries()) {
      const set: DeployedSet = {};
      for (const name of ['hello-web', 'status-page']) {
        const source = `deployables/${name}`;
        const { artifact } = await builder.build({ source, sourceDigest: (await builder.gather(source)).digest });
        const configured = await configs.current(name, environment);
        await host.putArtifact(artifact, await artifacts.get(artifact), go());
        await host.putConfig(configured, go());
        set[name] = { artifact, config: configured.hash };
      }
      await host.activate({ generation: index + 1, release: environment, set }, go());
      for (const [name, deployed] of Object.entries(set)) {
        expect(await host.served(name, go())).toEqual({ ...deployed, isHealthy: true });
      }
      expect((await get('/hello-web/')).text).toContain(`<strong>${environment}</strong>`);
      expect((await get('/hello-web/hello.js')).text).toContain('fetch("version")');
    }
  });
});

describe('a host', () => {
  it.each([
    [{ ENVIRONMENT: '../dev' }, 'ENVIRONMENT must be small letters, digits and "-"'],
    [{ ENVIRONMENT_TOKEN: 'short' }, 'ENVIRONMENT_TOKEN must have at least 16 characters'],
    [{ PORT: '70000' }, 'PORT must be a whole number from 0 to 65535'],
    [{ DATA_DIR: undefined }, 'DATA_DIR must be a folder'],
  ])('does not start with %j', async (env, message) => {
    await expect(startProcess({ env })).rejects.toThrow(`(exit code 1):\n  ${message}\n`);
  });

  it('does not start on a port that is taken, and leaves the folder alone', async () => {
    const { url, folder } = await startHost();
    await write(folder, { 'versions/somebody-is-writing.partial/a.txt': '' });
    const PORT = new URL(url).port;
    await expect(startProcess({ folder, env: { PORT } })).rejects.toThrow(/EADDRINUSE/);
    expect(await readdir(join(folder, 'versions'))).toEqual(['somebody-is-writing.partial']);
  });
});

describe('who may change it', () => {
  const one = version(1);
  const calls: [method: string, path: string, body?: string | Uint8Array][] = [
    ['PUT', `/-/artifacts/${one.artifact}`, one.archive],
    ['PUT', `/-/configs/${config().hash}`, '{"text":"as configured"}'],
    ['POST', '/-/activate', JSON.stringify({ generation: 9, release: 'r-9', set: setOf({ web: one }) })],
    ['POST', '/-/good', '{"generation":9}'],
    ['POST', '/-/roll-back', '{"generation":9}'],
    ['PUT', '/-/faults', '{"unhealthy":9}'],
    ['DELETE', '/web/'],
  ];

  it('is who has the token', async () => {
    const { host, send, versions, token } = await startHost({ withFaults: true });
    await host.activate({ generation: 1, release: 'r-1', set: await stage(host, { web: version(2) }) }, go());
    const before = [await host.state(go()), await versions()];
    const wrong = [{}, { authorization: 'Bearer ' }, { authorization: token }, { authorization: `Bearer ${token}x` }];
    for (const [method, path, body] of calls) {
      for (const headers of wrong) {
        expect(await send(method, path, body, headers as Record<string, string>)).toMatchObject({
          status: 401,
          body: { error: { type: 'Unauthorised' } },
        });
      }
    }
    expect([await host.state(go()), await versions()]).toEqual(before);
    expect(await host.served('web', go())).toMatchObject({ isHealthy: true });
  });

  it('is somebody on this machine', async () => {
    const { url } = await startProcess();
    const outside = Object.values(networkInterfaces()).flatMap((all) => all?.filter(({ internal }) => !internal) ?? []);
    for (const { address, family } of outside.filter((one) => !one.address.startsWith('fe80'))) {
      const there = `http://${family === 'IPv6' ? `[${address}]` : address}:${new URL(url).port}/`;
      await expect(fetch(there, { signal: go() })).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    }
    expect((await fetch(url)).status).toBe(200);
  });
});

describe('faults on request', () => {
  it('say no about health as often as was asked for', async () => {
    const { host, send } = await startHost({ withFaults: true });
    await host.activate({ generation: 1, release: 'r-1', set: await stage(host, { web: version(1) }) }, go());
    expect(await send('PUT', '/-/faults', '{"unhealthy":2}')).toMatchObject({ status: 200, body: { unhealthy: 2 } });
    const healths = [];
    for (let n = 0; n < 3; n += 1) healths.push((await host.served('web', go()))?.isHealthy);
    expect(healths).toEqual([false, false, true]);
  });

  it('hold an activation until it is let go', async () => {
    const { host, get, send } = await startHost({ withFaults: true });
    const set = await stage(host, { web: version(1) });
    await send('PUT', '/-/faults', '{"holdActivations":true}');
    const activation = send('POST', '/-/activate', JSON.stringify({ generation: 1, release: 'r-1', set }));
    await expect.poll(async () => JSON.parse((await get('/-/faults')).text).held, { timeout: 20_000 }).toBe(1);
    expect(await host.state(go())).toMatchObject({ generation: 0, set: {} });
    await send('PUT', '/-/faults', '{"holdActivations":false}');
    expect(await activation).toMatchObject({ status: 200, body: { generation: 1, set } });
    expect(JSON.parse((await get('/-/faults')).text)).toEqual({ unhealthy: 0, holdActivations: false, held: 0 });
  });

  it('are not to be had from a host that was started without them', async () => {
    const { send } = await startHost();
    expect(await send('PUT', '/-/faults', '{"unhealthy":2}')).toMatchObject({ status: 404 });
  });
});
