// Whether a template writes all that was said: every turn, the system text, what the model is told of tools.

import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { type ChatMessage, chatTemplate } from '../../engine/tokenizer/chat-template.js';
import { heardPrompt } from '../../engine/tokenizer/hearing.js';

const user = (content: unknown): ChatMessage => ({ role: 'user', content });
const model = (content: unknown): ChatMessage => ({ role: 'assistant', content });
const system = (content: unknown): ChatMessage => ({ role: 'system', content });
const tool = (content: unknown): ChatMessage => ({ role: 'tool', content });
const part = (text: string) => ({ type: 'text', text });
const calls = [{ function: { name: 'f', arguments: {} } }];

/** What is written, or the sentence of a TokenizerError. */
function said(source: string | null, messages: readonly ChatMessage[], first = 1): string {
  try {
    return heardPrompt(chatTemplate(source), messages, first);
  } catch (error) {
    expect(error).toBeInstanceOf(TokenizerError);
    return `! ${(error as Error).message}`;
  }
}
const left = (what: string) =>
  `! The model's chat template leaves out ${what}, so the model would not hear it. Give another template, or leave it out yourself.`;

/** Of a model that knows questions and answers alone. */
const QA =
  "{% for m in messages %}{% if m.role == 'user' %}U: {{ m.content }}\n{% elif m.role == 'assistant' %}A: {{ m.content }}\n{% endif %}{% endfor %}A:";
const LOG = '{% for m in messages %}[{{ m.content }}]{% endfor %}';
const LAST = '{% for m in messages[-1:] %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:';

test('a system text that a template passes over goes in front of what the user says first', () => {
  expect(said(QA, [system('S'), user('Hi')])).toBe('U: S\n\nHi\nA:');
  expect(said(QA, [system('S'), user('Hi'), model('Yes'), user('And?')], 0)).toBe('U: S\n\nHi\nA: Yes\nU: And?\nA:');
  expect(said(QA, [user('Hi')])).toBe('U: Hi\nA:');
  expect(said(QA, [system(' '), user('Hi')])).toBe('U: Hi\nA:'); // nothing was said
  // A text that stands there by chance is not the system's.
  expect(said(QA, [system('A'), user('Hi')])).toBe('U: A\n\nHi\nA:');
  // There is no first question of text to put it in front of.
  for (const rest of [[], [model('Hi')], [user([part('Hi')])], [tool('x'), user('Hi')]]) {
    const template = `{% for m in messages %}{% if m.role != 'system' %}{% if m.content is string %}{{ m.content }}{% else %}{{ m.content[0].text }}{% endif %}{% endif %}{% endfor %}A:`;
    expect(said(template, [system('S'), ...rest])).toBe(left('the system text'));
  }
  expect(said(QA, [system([part('S')]), user('Hi')])).toBe(left('the system text'));
});

test.each([
  ['a late system text', QA, [user('a'), model('b'), system('S'), user('c')], 'Turn 3 (system)'],
  ['a second one', QA, [system('S'), system('T'), user('c')], 'the system text'],
  ['a tool', QA, [user('a'), model('b'), tool('42'), user('c')], 'Turn 3 (tool)'],
  ['a tool behind a system text', QA, [system('S'), user('a'), tool('42')], 'Turn 3 (tool)'],
  ['the turns before the last', LAST, [user('a'), model('b'), user('c')], 'Turn 1 (user)'],
  ['what was said last', '{{ messages[0].content }}', [user('a'), model('b')], 'Turn 2 (assistant)'],
  [
    'what the model said',
    "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}",
    [user('a'), model('b'), user('c')],
    'Turn 2 (assistant)',
  ],
  ['all of it', 'model:', [user('a')], 'Turn 1 (user)'],
  ['all but how many', '{{ messages | length }}', [user('a'), user('b')], 'Turn 1 (user)'],
  ['a text that is another turn’s too', LAST, [user('yes'), model('no'), user('yes')], 'Turn 1 (user)'],
  [
    'a letter that stands in the template',
    'assistant {{ messages[1].content }}',
    [user('s'), user('t')],
    'Turn 1 (user)',
  ],
  ['a number', '{{ messages[1].content }}', [user(5), user('t')], 'Turn 1 (user)'],
  ['true', '{{ messages[1].content }}', [user(true), user('t')], 'Turn 1 (user)'],
  [
    'parts',
    '{% for m in messages %}{% if m.content is string %}{{ m.content }}{% endif %}{% endfor %}.',
    [user([part('a')])],
    'Turn 1 (user)',
  ],
  ['a key that is misspelt', LOG, [{ ...user('a'), contnt: 'b' } as ChatMessage], "the key 'contnt' of Turn 1 (user)"],
  [
    'a key of a later turn that is no text',
    QA,
    [user('a'), model('b'), { ...user('c'), urgent: true } as ChatMessage],
    "the key 'urgent' of Turn 3 (user)",
  ],
  [
    'a key of the system text',
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}{% for m in messages[1:] %}{{ m.content }}{% endfor %}",
    [{ ...system('S'), tone: 'kind' } as ChatMessage, user('a')],
    "the key 'tone' of the system text",
  ],
  [
    'a key of a part',
    '{% for m in messages %}{{ m.content[0].text }}{% endfor %}',
    [user([{ ...part('a'), cache_control: { type: 'ephemeral' } }])],
    "the key 'cache_control' of part 1 of Turn 1 (user)",
  ],
  ['the second part', '{{ messages[0].content[0].text }}', [user([part('a'), part('b')])], 'part 2 of Turn 1 (user)'],
  [
    'the second part of the system text',
    '{{ messages[0].content[0].text }}{{ messages[1].content }}',
    [system([part('a'), part('b')]), user('c')],
    'part 2 of the system text',
  ],
  [
    'what the model asked a tool',
    LOG,
    [user('a'), { ...model('b'), tool_calls: calls }],
    'the tool_calls of Turn 2 (assistant)',
  ],
  [
    'what stands beside a tool call',
    '{% for m in messages %}{% if m.tool_calls %}{{ m.tool_calls[0].function.name }}{% else %}{{ m.content }}{% endif %}{% endfor %}',
    [user('a'), { ...model('b'), tool_calls: calls }],
    'Turn 2 (assistant)',
  ],
] as const)('%s is refused by number', (_, template, messages, turn) => {
  expect(said(template, messages)).toBe(left(turn));
});

test('turns are counted as in the list that was given', () => {
  expect(said(QA, [system('S'), user('a'), tool('42')], 0)).toBe(left('Turn 2 (tool)'));
  expect(said(LAST, [user('a'), model('b')], 2)).toBe(left('Turn 2 (user)'));
});

test('what a template makes of a text is its own affair', () => {
  const hello = [user(' Hello there ')];
  for (const [source, text] of [
    [null, '<bos><start_of_turn>user\nHello there<end_of_turn>\n<start_of_turn>model\n'],
    ['{{ messages[0].content | trim }}', 'Hello there'],
    ['{{ messages[0].content | upper }}', ' HELLO THERE '],
    ['{{ messages[0].content[::-1] }}', ' ereht olleH '],
    ['{{ messages[0].content[:4] }}', ' Hel'],
    ['{{ messages[0].content | length }}', '13'],
    ['{{ messages[0].content | tojson }}', '" Hello there "'],
    ["{{ messages[0].content.split('o')[-1] }}", ' there '],
    // It has another text for what is longer: it reads it.
    ["{% if messages[0].content | length > 14 %}{{ raise_exception('long') }}{% endif %}short", 'short'],
  ] as const)
    expect(said(source, hello)).toBe(text);
  const thought = [user('a'), model('<think>long</think>b'), user('c')];
  const without = "{% for m in messages %}{{ m.content.split('</think>')[-1] }};{% endfor %}";
  expect(said(without, thought)).toBe('a;b;c;');
  expect(said(LOG, [user('a'), model(''), user(null), { role: 'tool', content: ' \n' }])).toBe('[a][][][ \n]');
  expect(said(LOG, [user(5), user(true)])).toBe('[5][True]');
  // What the template asks for is heard, whatever it is called.
  const asks = '{% for m in messages %}{{ m.content }}{% if m.urgent %}!{% endif %}{{ m.mood }}{% endfor %}';
  for (const [more, text] of [
    [{ urgent: true }, 'a!'],
    [{ urgent: false }, 'a'],
    [{ mood: 'sad' }, 'asad'],
    [{ mood: 7 }, 'a7'],
    [{ mood: null }, 'a'], // holds nothing, and is left out as transformers leaves it out
  ] as const)
    expect(said(asks, [{ ...user('a'), ...more } as ChatMessage])).toBe(text);
  const inPart = '{{ messages[0].content[0].text }}{{ messages[0].content[0].lang }}';
  expect(said(inPart, [user([{ ...part('a'), lang: 'de' }])])).toBe('ade');
  expect(said(LOG, [{ ...user('a'), refusal: null, audio: undefined } as ChatMessage])).toBe('[a]');
  expect(said(QA, [{ ...system('S'), audio: null } as ChatMessage, user('a')])).toBe('U: S\n\na\nA:');
  // Names, ids and what a model has thought may be passed over.
  const more = { ...model('b'), name: 'n', tool_call_id: '7', reasoning_content: 'long' } as ChatMessage;
  expect(said(LOG, [user('a'), more])).toBe('[a][b]');
  const asked = { role: 'assistant', tool_calls: calls } as ChatMessage;
  expect(
    said('{% for m in messages %}{{ m.content }}{{ m.tool_calls | tojson if m.tool_calls }}{% endfor %}', [
      user('a'),
      asked,
    ]),
  ).toBe('a[{"function": {"name": "f", "arguments": {}}}]');
});

test('what is asked is what is written: with an answer to come', () => {
  const opened = '{% if add_generation_prompt %}{{ messages[-1].content }}{% endif %}!';
  expect(said(opened, [user('a')])).toBe('a!');
  expect(said(opened, [system('S'), user('a')])).toBe('S\n\na!');
  // Nothing is said in these.
  const first = '{{ messages[0].content[0].text }}';
  expect(said(first, [user([part('a'), part(' \n'), part('')])])).toBe('a');
  expect(said(LOG, [user('a'), { ...model('b'), tool_calls: [] } as ChatMessage])).toBe('[a][b]');
  expect(said(LOG, [user('a'), { ...model('b'), tool_calls: 'none' } as ChatMessage])).toBe('[a][b]');
});

test('texts that hold the mark themselves', () => {
  expect(said(LAST, [user('x'), model('y'), user('qzx0z qzx1z QZX1Z')])).toBe(left('Turn 1 (user)'));
  const marks = [user('qzx0z'), model('QZXQ1z qzx'), user('qzxqq2z')];
  expect(said(LOG, marks)).toBe('[qzx0z][QZXQ1z qzx][qzxqq2z]');
  expect(said(LAST, marks)).toBe(left('Turn 1 (user)'));
});

test('a thousand turns are asked for in one writing', () => {
  const turns = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? user(`a${i}`) : model(`b${i}`)));
  const began = performance.now();
  expect(said(LOG, turns)).toContain('[b999]');
  expect(performance.now() - began).toBeLessThan(5000);
});

test('a chat of many turns or parts costs what it is long, and a template that hides what it writes is given up by a bound', () => {
  const turns = (many: number) =>
    Array.from({ length: many }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: 'a' }));
  const parts = [
    { role: 'user', content: Array.from({ length: 10_000 }, () => ({ type: 'text' as const, text: 'a' })) },
  ];
  const writes = chatTemplate(
    '{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endif %};{% endfor %}',
    'T',
  );
  const before = process.cpuUsage();
  expect(heardPrompt(writes, parts)).toBe(`${'a'.repeat(10_000)};`);
  expect(heardPrompt(writes, turns(10_000))).toBe('a;'.repeat(10_000));
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(15); // minutes, where each change copies all of them
  const counts = chatTemplate('{% for m in messages %}{{ m.content | length }};{% endfor %}', 'T');
  expect(heardPrompt(counts, turns(40))).toBe('1;'.repeat(40));
  expect(() => heardPrompt(counts, turns(4000))).toThrow(
    /shows 4000 of 4000 things that are said in 4000 turns in another form/,
  );
});
