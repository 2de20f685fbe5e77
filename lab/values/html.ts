// The one place where text becomes HTML. Everything put into the template is escaped, unless it is HTML that came from it: token
// texts come from model files and may be anything.

import { printable, visible } from '../../engine/printable.js';

export class Html {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string =>
  printable(text).replace(/[&<>"']/g, character => ESCAPES[character]);

export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const shown = (value: string | number | Html | readonly Html[]): string =>
    value instanceof Html
      ? value.text
      : Array.isArray(value)
        ? value.map(v => v.text).join('')
        : escapeHtml(String(value));
  return new Html(parts.reduce((text, part, i) => text + shown(values[i - 1]) + part));
}

/**
 * Text for a plotly title, tick, legend or hover. Plotly reads all of them as HTML of its own, what stands between dollar signs as LaTeX where
 * MathJax is, and %{…} of a template as a value: none of a name's is meant so.
 */
export function label(text: string): string {
  return escapeHtml(visible(text)).replaceAll('$', '&#36;').replaceAll('%{', '&#37;{');
}

/**
 * A piece of a page whose texts are texts: the MathJax of a notebook takes what stands between dollar signs for mathematics, prices too, and leaves
 * alone what has these classes (the first is version 3's, the second 2's).
 */
export const withoutMathematics = (page: string): string => `<div class="mathjax_ignore tex2jax_ignore">${page}</div>`;

/** Two texts that stand at one place, each with its white space shown: what is joined has no end between them that would show it. */
export const eitherText = (text: string, other: string): string =>
  text === other ? text : `${visible(text)}/${visible(other)}`;

export { visible };

/** A drawing as an address that an image shows, with what may stay as it is: a table has a hundred. */
export function pictureAddress(svg: string): Html {
  const text = svg.includes("'") ? svg : svg.replaceAll('"', "'");
  return new Html(`data:image/svg+xml,${encodeURIComponent(text).replace(/%(?:20|2F|3A|3D|2C)/g, decodeURIComponent)}`);
}
