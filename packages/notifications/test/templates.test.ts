import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Html, html } from '../src/index.ts';

describe('html', () => {
  it('escapes what is put into it, between tags and in attributes', () => {
    const name = `<script>alert("1")</script>&amp;'\``;
    const escaped = '&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;amp;&#39;&#96;';
    expect(`${html`<p title="${name}">${name}</p>`}`).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  it('puts in numbers, html and lists of it, and nothing for undefined', () => {
    const items = ['a<', 'b'].map((item) => html`<li>${item}</li>`);
    expect(`${html`<ul>${items}</ul>${5} ${undefined}${['<', html`<br>`]}`}`).toBe(
      '<ul><li>a&#60;</li><li>b</li></ul>5 &#60;<br>',
    );
  });

  it('takes nothing for html that it did not make', () => {
    const forged = { toString: () => '<b>' } as unknown as Html;
    expect(`${html`${forged}`}`).toBe('&#60;b&#62;');
    expect(() => new (Html as unknown as new (markup: string) => Html)('<b>')).toThrow();
  });

  it('never lets a value begin or end anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const inside = `${html`<a title="${value}">`}`.slice('<a title="'.length, -'">'.length);
        expect(inside).not.toMatch(/[<>"']/);
        const read = inside.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
        expect(read).toBe(value);
      }),
    );
  });
});
