import { timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { sha256 } from '../../services/digests.ts';
import { limits } from '../../services/names.ts';
import { Refused } from '../../services/refused.ts';
import type { Deployed, DeployedSet } from '../../services.ts';
import { check } from './check.ts';
import type { Configs } from './configs.ts';
import type { HostFaults } from './faults.ts';
import { MissingValue, Pages } from './pages.ts';
import { activationBody, generationBody, type Pointer } from './pointer.ts';
import { answerError, answerFor } from './problem.ts';
import type { Versions } from './versions.ts';

export interface Host {
  environment: string;
  /** Whoever has it may change what is served. Reading is open. */
  token: string;
  pointer: Pointer;
  versions: Versions;
  configs: Configs;
  /** What is not in use is thrown away this long after it was last uploaded, or looked for by a release. */
  unusedMs: number;
  /** Only for demonstrations. */
  faults?: HostFaults;
}

/**
 * The HTTP interface of one environment. What changes something may be asked again and then answers the same.
 *
 * For releases, with a token: `PUT /-/artifacts/{digest}`, `PUT /-/configs/{hash}`, `POST /-/activate`, `POST /-/good`,
 * `POST /-/roll-back`; whoever says with `x-environment` which one is meant is refused by any other. For everybody: `GET /-/state`, `/{deployable}/…`, `/{deployable}/version`, `/{deployable}/healthz`.
 */
export function createApp(host: Host): Hono {
  const { environment, pointer, versions, configs, faults } = host;
  const pages = new Pages(versions, configs);
  const app = new Hono();
  app.onError((error, c) => answerFor(c, error));
  app.notFound((c) => notFound(c));

  app.use('*', async (c, next) => {
    const meant = c.req.header('x-environment') ?? environment;
    if (meant === environment) return next();
    return answerError(c, 403, 'WrongEnvironment', `This is ${environment}, and not the environment that was meant`);
  });
  app.on(['PUT', 'POST', 'PATCH', 'DELETE'], '*', async (c, next) => {
    if (isReleaser(c)) return next();
    return answerError(c, 401, 'Unauthorised', 'The token of this environment is needed to change it');
  });
  app.use('/-/artifacts/*', atMost(limits.archiveBytes));
  app.use('/-/*', async (c, next) => (c.req.path.startsWith('/-/artifacts/') ? next() : small(c, next)));

  app.put('/-/artifacts/:digest', async (c) => {
    await versions.put(c.req.param('digest'), Buffer.from(await c.req.arrayBuffer()));
    return c.json({ artifact: c.req.param('digest') });
  });
  // A release that asks is about to activate it. Others may ask as well, and keep nothing alive by that.
  app.get('/-/artifacts/:digest{[0-9a-f]{64}}', async (c) => {
    const { digest } = c.req.param();
    if (isReleaser(c)) await versions.keep(digest);
    const problem = await versions.problemOf(digest);
    return problem ? answerError(c, 404, 'NotFound', `The version ${problem}`) : c.json({ isWhole: true });
  });
  app.put('/-/configs/:hash', async (c) => {
    await configs.put(c.req.param('hash'), await c.req.text());
    return c.json({ config: c.req.param('hash') });
  });
  app.get('/-/configs/:hash{[0-9a-f]{64}}', async (c) => {
    const { hash } = c.req.param();
    if (isReleaser(c)) await configs.keep(hash);
    return (await configs.read(hash)) ? c.json({ isWhole: true }) : notFound(c);
  });

  app.post('/-/activate', async (c) => {
    const activation = check(activationBody, await c.req.text());
    await faults?.pass();
    return changed(c, pointer.activate(activation, missing));
  });
  app.post('/-/good', async (c) => {
    const { generation } = check(generationBody, await c.req.text());
    return changed(c, pointer.markGood(generation));
  });
  app.post('/-/roll-back', async (c) => {
    const { generation } = check(generationBody, await c.req.text());
    return changed(c, pointer.rollBack(generation));
  });
  app.get('/-/state', (c) => c.json(pointer.state(environment)));
  faults?.addRoutes(app);

  app.get('/', (c) => c.json({ environment, deployables: Object.keys(pointer.set).map((name) => `/${name}/`) }));
  app.get('/:deployable', (c) => (deployed(c) ? c.redirect(`/${c.req.param('deployable')}/`, 308) : notFound(c)));
  app.get('/:deployable/version', async (c) => {
    const found = deployed(c);
    if (!found) return notFound(c);
    const { artifact, config } = await pages.look(found);
    return c.json({ artifact, config });
  });
  app.get('/:deployable/healthz', async (c) => {
    const found = deployed(c);
    if (!found) return notFound(c);
    const served = await pages.look(found);
    const answer = faults?.takeUnhealthy() ? { ...served, isHealthy: false, reason: 'Ill on request' } : served;
    return c.json(answer, answer.isHealthy ? 200 : 503);
  });
  app.get('/:deployable/*', async (c) => {
    const found = deployed(c);
    if (!found) return notFound(c);
    try {
      const page = await pages.page(found, c.req.path.slice(c.req.path.indexOf('/', 1) + 1));
      if (!page) return notFound(c);
      const headers = { 'content-type': page.type, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' };
      return c.body(new Uint8Array(page.body), 200, headers);
    } catch (error) {
      if (error instanceof MissingValue) return answerError(c, 503, 'MissingValue', error.message);
      throw error;
    }
  });
  return app;

  /** Compared by digest, which takes the same time whatever is wrong with it. */
  function isReleaser(c: Context): boolean {
    const [sent, wanted] = [c.req.header('authorization') ?? '', `Bearer ${host.token}`];
    return timingSafeEqual(Buffer.from(sha256(sent)), Buffer.from(sha256(wanted)));
  }

  /** Looked up once a request: a switch in between changes nothing for it. */
  function deployed(c: Context): Deployed | undefined {
    const name = c.req.param('deployable') ?? '';
    return Object.hasOwn(pointer.set, name) ? pointer.set[name] : undefined;
  }

  async function changed(c: Context, change: Promise<void>) {
    await change;
    const answer = c.json(pointer.state(environment));
    const { artifacts, configs: used } = pointer.inUse;
    await Promise.all([versions.prune(artifacts, host.unusedMs), configs.prune(used, host.unusedMs)]);
    return answer;
  }

  async function missing(set: DeployedSet): Promise<string | undefined> {
    for (const [name, { artifact, config }] of Object.entries(set)) {
      const problem = await versions.problemOf(artifact);
      if (problem) return `The version ${artifact} of ${name} ${problem}`;
      if (!(await configs.read(config))) return `The configuration ${config} of ${name} is not there`;
    }
    return undefined;
  }
}

const atMost = (bytes: number) =>
  bodyLimit({
    maxSize: bytes,
    onError: () => {
      throw new Refused('tooLarge', `The body must have at most ${bytes} bytes`, 'body');
    },
  });
const small = atMost(limits.configBytes);

const notFound = (c: Context) => answerError(c, 404, 'NotFound', `No ${c.req.method} ${c.req.path} here`);
