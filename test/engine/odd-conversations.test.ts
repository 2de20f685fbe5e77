// Templates of many makes and conversations of odd forms, against transformers' apply_chat_template (golden/chat_odd.jsonl).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { type ChatMessage, chatTemplate } from '../../engine/tokenizer/chat-template.js';

interface Line {
  readonly template: string;
  readonly source?: string;
  readonly messages: ChatMessage[];
  readonly answer: boolean;
  readonly text: string | null;
}
const lines = readFileSync(join(packageRoot(), 'golden/chat_odd.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Line);
const sources = new Map(lines.flatMap(({ template, source }) => (source === undefined ? [] : [[template, source]])));
const cases = lines.filter(({ source }) => source === undefined);

const written = (source: string | null, messages: readonly ChatMessage[], answer = true): string | TokenizerError => {
  try {
    return chatTemplate(source, '<bos>', '<eos>', { pad_token: '<pad>', unk_token: '<unk>' }).render(messages, answer);
  } catch (error) {
    expect(error).toBeInstanceOf(TokenizerError);
    return error as TokenizerError;
  }
};

test.each([...sources.keys()])('%s: as transformers writes it, or refused with the turn named', template => {
  let texts = 0;
  for (const { messages, answer, text } of cases.filter(one => one.template === template)) {
    const ours = written(sources.get(template)!, messages, answer);
    const shown = { messages, text: typeof ours === 'string' ? ours : null };
    // Python writes a list of parts as it would show it to a programmer; no model has been trained on that.
    if (text?.includes("[{'type'") || text?.includes('[]')) {
      expect(String(ours)).toMatch(/The system text|Turn \d \((user|system)\)/);
      expect(String(ours)).toMatch(/content in parts, and the template takes it for a text/);
    } else if (text === null && messages[0].role === 'system' && template === 'refuses' && shown.text !== null) {
      expect(shown.text).toContain('<start_of_turn>user\nBe brief.\n\nHi'); // folded into the user's turn
    } else expect(shown).toEqual({ messages, text });
    if (typeof ours !== 'string') expect(ours.message).toMatch(/The system text|Turn \d|no messages/);
    texts += Number(shown.text !== null);
  }
  expect(texts).toBeGreaterThan(template === 'undefined' ? -1 : 5);
});

test('Gemma’s turns have no form for other roles, keys and contents, and say so with the turn', () => {
  const user = (content: unknown) => ({ role: 'user', content });
  const refused: [ChatMessage[], RegExp][] = [
    [[user('Hi'), { role: 'tool', content: '42' }], /Turn 2 of the conversation has the role 'tool'/],
    [[user('Hi'), user('Again')], /Turn 2 of the conversation is the user's, and user and assistant take turns/],
    [[user('Hi'), { role: 'system', content: 'Late' }], /Turn 2 of the conversation has the role 'system'/],
    [[{ role: 'system', content: 'A' }, { role: 'system', content: 'B' }, user('Hi')], /Turn 2 .* the role 'system'/],
    [[{ role: 'system', content: 'A' }], /a system text and no turn/],
    [[user(null)], /Turn 1 of the conversation has no content/],
    [[user(5)], /Turn 1 of the conversation has 5 for its content/],
    [[user('Hi'), { role: 'assistant', content: 'Yes', tool_calls: [] } as ChatMessage], /Turn 2 .* has 'tool_calls'/],
    [[], /it has no messages/],
  ];
  for (const [messages, message] of refused) expect(String(written(null, messages))).toMatch(message);
  expect(
    written(
      null,
      [
        { role: 'system', content: 'S' },
        user([
          { type: 'text', text: ' a ' },
          { type: 'text', text: 'b' },
        ]),
        { role: 'model', content: 'c' },
      ],
      false,
    ),
  ).toBe('<bos><start_of_turn>user\nS\n\nab<end_of_turn>\n<start_of_turn>model\nc<end_of_turn>\n');
});

test('what is no message, and parts that are no text, are refused by name whatever the template', () => {
  const loop: Record<string, unknown> = { type: 'text', text: 'x' };
  loop.self = loop;
  const refused: [unknown, RegExp][] = [
    ['Hi', /A conversation is a list of messages/],
    [null, /A conversation is a list of messages/],
    [['Hi'], /Turn 1 of the conversation is no message\. Give \{ role/],
    [[null], /Turn 1 of the conversation is no message/],
    [[{ content: 'x' }], /Turn 1 of the conversation has no role\. Give/],
    [[{ role: 5, content: 'x' }], /Turn 1 of the conversation has no role but 5/],
    [
      [{ role: 'user', content: { text: 'x' } }],
      /Turn 1 \(user\) of the conversation has \{"text":"x"\} for its content/,
    ],
    [[{ role: 'user', content: 5n }], /Turn 1 \(user\) of the conversation has bigint for its content/],
    [[{ role: 'user', content: () => 1 }], /Turn 1 \(user\) of the conversation has .* for its content/],
    [
      [
        {
          role: 'user',
          content: [
            { type: 'image', url: 'x' },
            { type: 'text', text: 'y' },
          ],
        },
      ],
      /Turn 1 \(user\).* a part of type "image", and Loupe reads text alone/,
    ],
    [
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [{ type: 'audio' }] },
      ],
      /Turn 2 \(assistant\).* "audio"/,
    ],
    [[{ role: 'user', content: ['x'] }], /Turn 1 \(user\).* the part "x", which is no text/],
    [[{ role: 'user', content: [{ type: 'text' }] }], /the part \{"type":"text"\}, which is no text/],
    [[{ role: 'user', content: [null] }], /the part null, which is no text/],
  ];
  for (const source of [null, sources.get('plain')!]) {
    for (const [messages, message] of refused)
      expect((written(source, messages as ChatMessage[]) as Error).message).toMatch(message);
  }
  expect(written(sources.get('plain')!, [{ role: 'user', content: 'x', loop } as ChatMessage])).toBeInstanceOf(
    TokenizerError,
  );
});

test('templates that cannot be read: in a sentence, and soon', () => {
  for (const [source, message] of [
    [' '.repeat(400_000), /mostly blank/],
    [`{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`, /brackets are too deep/],
    ['x'.repeat(600_000), /has 600000 characters, and at most/],
    ["{{ 'x }}", /no Jinja that can be read/],
  ] as const) {
    expect(() => chatTemplate(source)).toThrow(message);
    expect(() => chatTemplate(source)).toThrow(TokenizerError);
  }
});

test('a template that is at fault says so, and one that drops what was said is refused', () => {
  const said: ChatMessage[] = [{ role: 'user', content: 'Hello there' }];
  const message = (source: string, messages = said) => {
    const ours = written(source, messages);
    return typeof ours === 'string' ? `written: ${ours}` : ours.message;
  };
  for (const source of [
    '{{ messages[0].content | truncate }}',
    "{{ messages[0].content | center('80') }}",
    '{{ messages[0].content | wordwrap(8) }}',
    "{{ '%e' % 3 }}{{ messages[0].content }}",
    '{{ messages[0].content[::0] }}',
    '{{ messages[::0] }}',
    '{% if messages[0].content is nosuchtest %}{% endif %}{{ messages[0].content }}',
    '{{ nosuchfunction(1) }}{{ messages[0].content }}',
    '{{ 1 // 0 }}{{ messages[0].content }}',
  ]) {
    expect({ source, message: message(source) }).toEqual({
      source,
      message: expect.stringMatching(
        /^The model's chat template is at fault, and not the conversation: .*\. Give another/,
      ),
    });
  }
  expect(message("{{ raise_exception('Unknown role') }}")).toMatch(/refuses this conversation: Unknown role\. .*Mend/);
  expect(() => chatTemplate("{% include 'x' %}")).toThrow(/Unknown statement type: include\. Give another/);
  for (const source of ['', '  ', '{{ bos_token }}', '{# nothing #}', "{{ '' }}\n"])
    expect(message(source)).toMatch(/writes nothing of this conversation, so the model would answer to nothing\. Give/);
});

test('the time as Python writes it', () => {
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, '0');
  const format = "{{ strftime_now('%Y-%m-%d') }} {{ strftime_now('%d %B %Y')[3:] }}";
  const months = 'January February March April May June July August September October November December'.split(' ');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  expect(written(format, [{ role: 'user', content: 'x' }])).toBe(
    `${day} ${months[now.getMonth()]} ${now.getFullYear()}`,
  );
  expect(String(written("{{ strftime_now('%Q') }}", [{ role: 'user', content: 'x' }]))).toMatch(/no directive %Q/);
});

test('keys that hold null, and the names of what a model has thought, as transformers gives them to a template', () => {
  // transformers 5.23: tokenizer.apply_chat_template([message], tokenize=False) with {{ messages[0]|tojson }}
  const given: [Record<string, unknown>, string][] = [
    [{ role: 'user', content: 'Hi', z: null, d: { a: null } }, '{"role": "user", "content": "Hi", "d": {"a": null}}'],
    [{ role: 'user', content: null, tool_calls: null }, '{"role": "user"}'],
    [
      { role: 'user', content: 'Hi', thinking: null, reasoning: 'r' },
      '{"thinking": "r", "role": "user", "content": "Hi", "reasoning": "r", "reasoning_content": "r"}',
    ],
    [
      { role: 'user', content: 'Hi', thinking: 't', reasoning: 'r' },
      '{"thinking": "t", "role": "user", "content": "Hi", "reasoning": "r", "reasoning_content": "t"}',
    ],
    [
      { role: 'user', reasoning_content: 'c', content: 'Hi', thinking: 't' },
      '{"thinking": "t", "role": "user", "reasoning_content": "c", "content": "Hi"}',
    ],
    [
      { role: 'user', content: 'Hi', thinking: '' },
      '{"thinking": "", "role": "user", "content": "Hi", "reasoning_content": ""}',
    ],
  ];
  for (const [message, text] of given) {
    expect(written('{{ messages[0]|tojson }}', [message as unknown as ChatMessage])).toBe(text);
  }
  const asked = '{{ m.z is none }} {{ m.z is defined }} {{ m.z|default("d") }}';
  expect(
    written(asked.replaceAll('m.', 'messages[0].'), [{ role: 'user', content: 'Hi', z: null } as ChatMessage]),
  ).toBe('False False d');
});
