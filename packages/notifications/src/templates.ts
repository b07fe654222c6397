import type { MailContent } from './types.ts';

/**
 * A mail made from data: the subject and the text as they are, the HTML by `html`. Data is plain JSON, for it comes from a
 * workflow and is what a second call under the same key is compared with.
 */
// biome-ignore lint/suspicious/noExplicitAny: templates of any data are kept in one object, and each is typed by its own
export type Template<Data = any> = (data: Data) => Omit<MailContent, 'html'> & { html: Html };

/** HTML in which every value has been escaped. Only `html` makes it. */
export class Html {
  readonly #markup: string;
  constructor(parts: TemplateStringsArray, values: readonly HtmlValue[]) {
    // What a program writes by hand is no template: it could not be told from data.
    if (!Object.hasOwn(parts, 'raw')) throw new TypeError('Html is made by the tag html');
    this.#markup = parts.map((part, index) => part + (index < values.length ? markupOf(values[index]) : '')).join('');
  }
  toString(): string {
    return this.#markup;
  }
}

/** Text and numbers are escaped; `Html`, and a list of these, are put in as they are. */
export type HtmlValue = string | number | Html | readonly HtmlValue[] | undefined;

/** HTML with values that cannot become markup, between tags and inside quoted attributes: html`<p>Dear ${name}</p>`. */
export const html = (parts: TemplateStringsArray, ...values: HtmlValue[]): Html => new Html(parts, values);

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(markupOf).join('');
  if (value === undefined) return '';
  return String(value).replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
