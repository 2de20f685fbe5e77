// Changes of a Jinja template: its tags and texts in another order, gone, twice, or between others that ask for much.

import { mutateBytes } from './mutate-bytes.js';
import type { Random } from './random.js';

const PARTS = [
  '{% for i in range(1000000000) %}x{% endfor %}',
  '{% for i in range(3000) %}{% for j in range(3000) %}{% for k in range(3000) %}{% endfor %}{% endfor %}{% endfor %}',
  '{{ "x" * 1000000000 }}',
  "{{ 'x' | center(1000000000) }}",
  '{% set x = [messages, messages] %}{{ x | tojson }}',
  '{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}',
  '{{ messages.__proto__ }}',
  "{{ messages['constructor']['constructor']('return 1')() }}",
  '{{ raise_exception("no") }}',
  '{{ messages[0].content.split("").join("x" * 10000) }}',
  '{{ (1, 2) }}',
  '{{ none.x }}',
  '{{ undefined_name.x }}',
  '{{ undefined_function() }}',
  "{{ strftime_now('%Y') }}",
  '{% generation %}a{% endgeneration %}',
  '{% if messages %}',
  '{% endif %}',
  '{% else %}',
  '{% break %}',
  '{% raw %}',
  '{#',
  '{{',
  '%}',
  '{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns.a.a.a }}',
  "{{ '%s' | format(1) }}",
  '{{ 1 / 0 }}{{ 1 // 0 }}{{ 1 % 0 }}',
  '{{ messages | map(attribute="content") | list }}',
  '{{ messages | sort | first }}',
  '{{ "a" | int + [] }}',
  '(((((((((('.repeat(200),
  `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`,
  `{{ ${'['.repeat(3000)}${']'.repeat(3000)} }}`,
  `{{ ${'not '.repeat(5000)}1 }}`,
  `{{ 1${' + 1'.repeat(5000)} }}`,
  '{% if 1 %}'.repeat(2000) + '{% endif %}'.repeat(2000),
];

export function mutateTemplate(source: string, random: Random): string {
  const parts = source.split(/(?<=[%}]\})|(?=\{[%{])/);
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = random.below(parts.length);
    switch (random.below(6)) {
      case 0:
        parts.splice(at, 1);
        break;
      case 1:
        parts.splice(at, 0, parts[at] ?? '');
        break;
      case 2:
        parts.splice(random.below(parts.length + 1), 0, ...parts.splice(at, 1));
        break;
      case 3:
        parts[at] = mutateBytes(Buffer.from(parts[at] ?? ''), random).toString();
        break;
      default:
        parts.splice(at, 0, random.of(PARTS));
    }
  }
  return parts.join('');
}
