import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../src/services/archive.ts';

describe('an archive', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/);
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'));
  const files = fc.uniqueArray(fc.tuple(path, fc.uint8Array({ maxLength: 1200 })), {
    maxLength: 6,
    selector: ([one]) => one,
  });

  it('gives back what was packed', () => {
    fc.assert(
      fc.property(files, (all) => {
        const packed = new Map(all.map(([one, content]) => [one, Buffer.from(content)]));
        const unpacked = unpack(pack(packed));
        expect(Object.fromEntries(unpacked)).toEqual(Object.fromEntries(packed));
        expect(pack(new Map([...packed].reverse()))).toEqual(pack(unpacked));
      }),
      { seed: Number(process.env.SEED ?? 1), numRuns: 40 },
    );
  });

  it('has room for the longest path that a source may have', () => {
    const path = `files/${'a'.repeat(95)}`;
    expect([...unpack(pack(new Map([[path, Buffer.from('text')]])))]).toEqual([[path, Buffer.from('text')]]);
  });

  it('is refused with a single byte changed, or means the same', () => {
    const whole = pack(new Map([['a.txt', Buffer.from('some text')]]));
    const wrong: number[] = [];
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      try {
        if (pack(unpack(changed)).equals(changed)) continue;
      } catch (error) {
        if ((error as { type?: string }).type?.match(/InvalidArchive|TooLarge/)) continue;
      }
      wrong.push(at);
    }
    expect(wrong).toEqual([]);
  });
});
