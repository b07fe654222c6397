import { randomUUID } from 'node:crypto';
import { postgresUrl, temporalAddress } from '@repo/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as commands from '../src/extras/commands.ts';
import * as environments from '../src/extras/environment-commands.ts';
import { provisionRecords } from '../src/extras/local-services.ts';
import { migrate } from '../src/extras/migrate.ts';
import { saying } from './commands-server.ts';

const name = `releases_${randomUUID().slice(0, 8)}`;
const databaseUrl = await provisionRecords(postgresUrl(), async (of) => `secret of ${of}`, name);
afterEach(() => {
  vi.unstubAllEnvs();
});

const changed = (url: string, change: Partial<URL>) => Object.assign(new URL(url), change).href;

describe('what a person at the keyboard has to mend: one message with the next step, exit code 1', () => {
  const own = databaseUrl;
  it.each([
    ['a database without records', postgresUrl(), /^There are no records in that database\.\n→ Run: .* migrate$/],
    ['no such database', changed(postgresUrl(), { pathname: '/none' }), /^There are no records in that database\./],
    ['a wrong password', changed(own, { password: 'wrong' }), /^PostgreSQL refuses \(.*\)\.\n→ Check DATABASE_URL\./],
    ['no URL', 'somewhere', /^The configuration is not right:\n {2}DATABASE_URL must be/],
    ['nobody there', 'postgres://nobody:nothing@127.0.0.1:9/none', /^PostgreSQL does not answer/],
  ])('%s', async (_, url, says) => {
    vi.stubEnv('DATABASE_URL', url);
    expect(await saying(() => environments.historyCommand({}))).toMatchObject({
      code: 1,
      err: expect.stringMatching(says),
    });
  });

  it('there is no such release', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', temporalAddress());
    expect(await saying(() => commands.lookCommand('show', 'never-made', {}))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^There is no release never-made\.\n→ /),
    });
  });
});

it("migrate makes the records on a PostgreSQL of one's own, and says if it cannot", async () => {
  const role = `role_${randomUUID().slice(0, 8)}`;
  const own = changed(postgresUrl(), { username: role, password: 'of its own', pathname: `/${role}` });
  vi.stubEnv('DATABASE_URL', own);
  expect(await saying(migrate)).toMatchObject({ code: 1, err: expect.stringMatching(/POSTGRES_ADMIN_URL=/) });
  vi.stubEnv('POSTGRES_ADMIN_URL', postgresUrl());
  for (const _ of ['the first time', 'again']) expect(await saying(migrate)).toMatchObject({ code: 0, err: '' });
  expect(await saying(() => environments.historyCommand({}))).toMatchObject({
    code: 0,
    out: 'Nothing was deployed yet.',
  });
});
