// Chat templates against transformers' apply_chat_template (golden/chat.jsonl); the model's own template is in test/slow.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { chatTemplate, type Message } from '../../engine/tokenizer/chat-template.js';

interface Case {
  readonly template: string;
  readonly messages: Message[];
  readonly answer: boolean;
  readonly text: string | null;
}
const cases = readFileSync(join(packageRoot(), 'golden/chat.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Case);

test('50 conversations in two templates, as transformers writes them', () => {
  let refused = 0;
  for (const { template, messages, answer, text } of cases) {
    const render = () => chatTemplate(template).render(messages, answer);
    if (text !== null) expect({ messages, text: render() }).toEqual({ messages, text });
    // Where transformers refuses a system turn, its text is folded into the user's.
    else if (template !== cases[0].template) {
      const system = messages[0].content;
      expect(render()).toContain(
        `<start_of_turn>user\n${`${system}\n\n${messages[1].content.trim()}`.trim()}<end_of_turn>`,
      );
    } else {
      refused += 1;
      expect(render).toThrow(/chat template refuses this conversation: .*take turns/);
    }
  }
  expect(cases).toHaveLength(100);
  expect(refused).toBeGreaterThan(1);
});

test('without a template: Gemma’s turns, the same as a template that folds the system text', () => {
  const folding = cases.filter(({ template, text }) => text !== null && template === cases[0].template);
  for (const { messages, answer, text } of folding) {
    expect(chatTemplate(null).render(messages, answer)).toBe(text);
  }
  expect(folding.length).toBeGreaterThan(40);
  expect(() => chatTemplate(null).render([{ role: 'assistant', content: 'x' }])).toThrow(/Turn 1 .* the user first/);
});

test('a template that is none is refused in words', () => {
  expect(() => chatTemplate('{% if %}')).toThrow(/no Jinja that can be read/);
  expect(() => chatTemplate('{{ nothing.at.all.here() }}').render([])).toThrow(/refuses this conversation/);
});
