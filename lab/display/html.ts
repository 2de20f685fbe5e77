// The one place where text becomes HTML. Everything put into the template is escaped, unless it is HTML that came from it: token
// texts come from model files and may be anything.

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

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => ESCAPES[character]);

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

/** Text for a plotly label, which plotly reads as HTML of its own: escaped, with white space made visible. */
export function label(text: string): string {
  return escapeHtml(visible(text));
}

/** White space and control characters as signs. */
export function visible(text: string): string {
  return (
    text
      .replace(/\n/g, '↵')
      .replace(/\t/g, '⇥')
      .replace(/^ | $/g, '␣')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters in token texts are what this removes
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, '·')
  );
}
