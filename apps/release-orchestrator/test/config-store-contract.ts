import { describe, expect, it } from 'vitest';
import type { ConfigStore } from '../src/services.ts';

export interface ConfigsAtHand {
  store: ConfigStore;
  /** Somebody edits a configuration. */
  edit(environment: string, deployable: string, text: string): Promise<void>;
  /** Somebody removes one. */
  remove(environment: string, deployable: string): Promise<void>;
  /** Changes what is kept behind the store's back. */
  damage(hash: string): Promise<void>;
}

/** What every config store promises. @param open gives a new and empty one */
export function describeConfigStore(name: string, open: () => Promise<ConfigsAtHand>): void {
  const refused = { name: 'Refused', type: 'InvalidConfig' };

  describe(`config store: ${name}`, () => {
    it('gives the values of one deployable in one environment', async () => {
      const { store, edit } = await open();
      await edit('dev', 'web', '{"greeting":"Hello","colour":"green"}');
      await edit('prod', 'web', '{"greeting":"Hello"}');
      await edit('dev', 'web-2', '{}');
      const { hash, values } = await store.current('web', 'dev');
      expect(values).toEqual({ greeting: 'Hello', colour: 'green' });
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect((await store.current('web', 'prod')).hash).not.toBe(hash);
      expect((await store.current('web-2', 'dev')).values).toEqual({});
    });

    it('goes by the values, and not by how they are written', async () => {
      const { store, edit } = await open();
      await edit('dev', 'web', '{"a":"1","b":"2"}');
      const { hash } = await store.current('web', 'dev');
      await edit('dev', 'web', '{\n  "b": "2",\n  "a": "\\u0031"\n}\n');
      expect((await store.current('web', 'dev')).hash).toBe(hash);
      await edit('dev', 'web', '{"a":"2","b":"1"}');
      expect((await store.current('web', 'dev')).hash).not.toBe(hash);
    });

    it('keeps what it has given, whatever becomes of it afterwards', async () => {
      const { store, edit, remove } = await open();
      await edit('dev', 'web', '{"a":"1"}');
      const first = await store.current('web', 'dev');
      await edit('dev', 'web', '{"a":"2"}');
      const second = await store.current('web', 'dev');
      await remove('dev', 'web');
      expect(await store.get(first.hash)).toEqual({ hash: first.hash, values: { a: '1' } });
      expect(await store.get(second.hash)).toEqual({ hash: second.hash, values: { a: '2' } });
      await expect(store.current('web', 'dev')).rejects.toMatchObject(refused);
    });

    it('keeps the same values once, for many at once', async () => {
      const { store, edit } = await open();
      await edit('dev', 'web', '{"a":"1"}');
      await edit('qc', 'web', '{"a":"1"}');
      const all = await Promise.all(
        [1, 2, 3, 4].flatMap(() => [store.current('web', 'dev'), store.current('web', 'qc')]),
      );
      expect(new Set(all.map(({ hash }) => hash)).size).toBe(1);
      expect((await store.get(all[0]?.hash ?? '')).values).toEqual({ a: '1' });
    });

    it('says so where one that it keeps is damaged, and mends it when it is gathered again', async () => {
      const { store, edit, damage } = await open();
      await edit('dev', 'web', '{"a":"1"}');
      const { hash } = await store.current('web', 'dev');
      await damage(hash);
      await expect(store.get(hash)).rejects.toMatchObject({ name: 'Refused', type: 'DigestMismatch' });
      await store.current('web', 'dev');
      expect(await store.get(hash)).toEqual({ hash, values: { a: '1' } });
    });

    it.each(['0'.repeat(64), '', '../../etc/passwd'])('keeps nothing under %j', async (hash) => {
      const { store } = await open();
      await expect(store.get(hash)).rejects.toMatchObject({ name: 'Refused', type: 'UnknownDigest' });
    });

    it.each([
      ['web', 'test', 'environment'],
      ['wob', 'dev', 'environment'],
      ['../dev/web', 'dev', 'deployable'],
      ['web', '..', 'environment'],
      ['we b', 'dev', 'deployable'],
      ['', 'dev', 'deployable'],
      ['w'.repeat(300), 'dev', 'deployable'],
    ])('has none of %j in %j', async (deployable, environment, field) => {
      const { store, edit } = await open();
      await edit('dev', 'web', '{}');
      await expect(store.current(deployable, environment)).rejects.toMatchObject({ ...refused, field });
    });

    it.each<[what: string, text: string, field: string, message: RegExp]>([
      ['no JSON', '{"a":', 'values', /dev\/web\.json: values is not JSON/],
      ['nothing', '', 'values', /is not JSON/],
      ['a list', '["a"]', 'values', /must be an object with texts by their names/],
      ['null', 'null', 'values', /must be an object|is not JSON/],
      ['a number', '{"port":8080}', 'values.port', /values\.port must be text/],
      ['an object in it', '{"a":{"b":"c"}}', 'values.a', /values\.a must be text/],
      ['a name with a blank', '{"a b":"c"}', 'values.a b', /is no name of a value/],
      ['a name of the language', '{"__proto__":"c"}', 'values.__proto__', /is no name of a value/],
      ['a long text', JSON.stringify({ a: 'b'.repeat(2001) }), 'values.a', /at most 2000 characters/],
      [
        'many values',
        JSON.stringify(Object.fromEntries([...Array(101).keys()].map((n) => [`a${n}`, '']))),
        'values',
        /at most 100/,
      ],
      [
        'deep nesting',
        `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
        'values.a',
        /values\.a must be text|is not JSON/,
      ],
      ['a huge text', JSON.stringify({ a: 'b'.repeat(70_000) }), 'values', /at most 65536 bytes/],
    ])('refuses %s', async (_, text, field, message) => {
      const { store, edit } = await open();
      await edit('dev', 'web', text);
      await expect(store.current('web', 'dev')).rejects.toMatchObject({
        ...refused,
        field,
        message: expect.stringMatching(message),
      });
    });
  });
}
