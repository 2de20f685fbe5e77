// What is said of conversations and templates that do not go together, word for word; and how a message reads.

import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { type ChatMessage, chatTemplate } from '../../engine/tokenizer/chat-template.js';
import { checkedMessages, messageText, turnName } from '../../engine/tokenizer/messages.js';

const user = (content: unknown): ChatMessage => ({ role: 'user', content });
const model = (content: unknown): ChatMessage => ({ role: 'assistant', content });
const system = (content: unknown): ChatMessage => ({ role: 'system', content });
const part = (text: string) => ({ type: 'text', text });

/** What is written, or the sentence of a TokenizerError. */
function said(source: string | null, messages: unknown, { answer = true, first = 1 } = {}): string {
  try {
    return chatTemplate(source).render(messages as ChatMessage[], answer, first);
  } catch (error) {
    expect(error).toBeInstanceOf(TokenizerError);
    return `! ${(error as Error).message}`;
  }
}

test('a turn is named by its place in the list that was given', () => {
  const messages = [system('S'), user('Hi'), system('S')];
  expect([0, 1, 2].map(i => turnName(messages, i))).toEqual(['The system text', 'Turn 2 (user)', 'Turn 3 (system)']);
  expect([0, 1].map(i => turnName(messages, i, 0))).toEqual(['The system text', 'Turn 1 (user)']);
  expect(turnName([user('Hi')], 0)).toBe('Turn 1 (user)');
  expect(turnName([user('Hi')], 0, 5)).toBe('Turn 5 (user)');
});

test('a message as a person reads it', () => {
  const call = { role: 'assistant', content: null, tool_calls: [{ name: 'f' }] } as ChatMessage;
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  for (const [message, text] of [
    [user('a\nb'), 'a\nb'],
    [user(''), ''],
    [user([part('a'), part('b')]), 'a\nb'],
    [user([part('a'), { type: 'image', url: 'x' }, null, 5]), 'a\n{"type":"image","url":"x"}\nnull\n5'],
    [user(null), ''],
    [{ role: 'user' }, ''],
    [user(5), '5'],
    [user({ a: 1 }), '{"a":1}'],
    [call, '{"tool_calls":[{"name":"f"}]}'],
    [{ ...call, content: 'x' }, 'x\n{"tool_calls":[{"name":"f"}]}'],
    [user(loop), 'object'],
    [user(5n), 'bigint'],
    [user('x'.repeat(3000)), 'x'.repeat(3000)],
    [user([['x'.repeat(3000)]]), `["${'x'.repeat(1998)}`],
    [user(Symbol('s')), 'Symbol(s)'],
  ] as const)
    expect(messageText(message)).toBe(text);
});

test('keys that hold nothing are left out, and nothing else', () => {
  const given = [{ role: 'user', content: null, name: undefined, tool_calls: [], note: '', n: 0, no: false }];
  expect(checkedMessages(given)).toEqual([{ role: 'user', tool_calls: [], note: '', n: 0, no: false }]);
  expect(Object.keys(checkedMessages(given)[0])).toEqual(['role', 'tool_calls', 'note', 'n', 'no']);
  for (const content of ['x', 5, true, 0, '']) expect(checkedMessages([user(content)])).toEqual([user(content)]);
  expect(checkedMessages([user([part('x'), part('')])])).toEqual([user([part('x'), part('')])]);
});

test('what is no conversation, no message or no content', () => {
  const parts = "Give a text, or parts: [{ type: 'text', text: '…' }].";
  const onePart = "Give { type: 'text', text: '…' }.";
  const role = "Give 'user', 'assistant', or another that the model's template knows.";
  for (const source of [null, '{{ messages[0].content }}']) {
    for (const [messages, sentence] of [
      ['Hi', 'A conversation is a list of messages, and this is none.'],
      [{}, 'A conversation is a list of messages, and this is none.'],
      [[], 'The chat template refuses this conversation: it has no messages. Give one at least.'],
      [[user('a'), 'Hi'], "Turn 2 of the conversation is no message. Give { role: 'user', content: 'text' }."],
      [[null], "Turn 1 of the conversation is no message. Give { role: 'user', content: 'text' }."],
      [[[]], "Turn 1 of the conversation is no message. Give { role: 'user', content: 'text' }."],
      [[{ role: '', content: 'x' }], `Turn 1 of the conversation has no role but "". ${role}`],
      [[{ role: null, content: 'x' }], `Turn 1 of the conversation has no role but null. ${role}`],
      [[{ content: 'x' }], `Turn 1 of the conversation has no role. ${role}`],
      [[user({ a: 1 })], `Turn 1 (user) of the conversation has {"a":1} for its content. ${parts}`],
      [[system({})], `The system text of the conversation has {} for its content. ${parts}`],
      [[user(5n)], `Turn 1 (user) of the conversation has bigint for its content. ${parts}`],
      [[user([null])], `Turn 1 (user) of the conversation has the part null, which is no text. ${onePart}`],
      [[user(['x'])], `Turn 1 (user) of the conversation has the part "x", which is no text. ${onePart}`],
      [
        [user([{ type: 'text' }])],
        `Turn 1 (user) of the conversation has the part {"type":"text"}, which is no text. ${onePart}`,
      ],
      [
        [user([{ type: 'text', text: 5 }])],
        `Turn 1 (user) of the conversation has the part {"type":"text","text":5}, which is no text. ${onePart}`,
      ],
      [
        [user([{ text: 'x' }])],
        `Turn 1 (user) of the conversation has the part {"text":"x"}, which is no text. ${onePart}`,
      ],
      [
        [user('a'), model([part('x'), { type: 'image', text: 'y' }])],
        'Turn 2 (assistant) of the conversation has a part of type "image", and Loupe reads text alone. Leave that part out.',
      ],
      [
        [user([{ type: 'x'.repeat(50) }])],
        `Turn 1 (user) of the conversation has a part of type "${'x'.repeat(40)}", and Loupe reads text alone. Leave that part out.`,
      ],
    ] as const)
      expect(said(source, messages)).toBe(`! ${sentence}`);
  }
  expect(said(null, [user('a'), 'Hi'], { first: 0 })).toMatch(/^! Turn 1 of the conversation is no message/);
});

test('half of a surrogate pair is no character, wherever in a turn it stands', () => {
  const half = (which: string, who: string) =>
    `! ${who} of the conversation has half of a surrogate pair (${which} alone) in its text, which is no character. Write the whole pair, or take it out.`;
  const source = "{{ messages[0]['content'] }}";
  for (const one of [null, source]) {
    expect(said(one, [user('a\ud83d')])).toBe(half('\\ud83d', 'Turn 1 (user)'));
    expect(said(one, [user('👍'), model('\udc4d!'), user('x')])).toBe(half('\\udc4d', 'Turn 2 (assistant)'));
    expect(said(one, [user([part('👍'), part('\ud83d')])])).toBe(half('\\ud83d', 'Turn 1 (user)'));
    expect(said(one, [user([null, part('\ud83d')])])).toBe(half('\\ud83d', 'Turn 1 (user)'));
  }
  expect(said(source, [user('a👍')])).toMatch(/a👍/);
});

test('Gemma’s turns, and what they have no form for', () => {
  const turn = (role: string, text: string) => `<start_of_turn>${role}\n${text}<end_of_turn>\n`;
  expect(said(null, [user(' Hi \n')])).toBe(`<bos>${turn('user', 'Hi')}<start_of_turn>model\n`);
  expect(said(null, [user('Hi')], { answer: false })).toBe(`<bos>${turn('user', 'Hi')}`);
  expect(chatTemplate(null, '<s>').render([user('Hi')])).toBe(`<s>${turn('user', 'Hi')}<start_of_turn>model\n`);
  expect(
    said(null, [system(' S '), user('Hi'), model('Yes'), { role: 'user', content: [part(' a '), part('b')] }]),
  ).toBe(`<bos>${turn('user', ' S \n\nHi')}${turn('model', 'Yes')}${turn('user', 'ab')}<start_of_turn>model\n`);
  expect(said(null, [system([part(' S '), part('T')]), user('Hi')])).toBe(
    `<bos>${turn('user', ' S T\n\nHi')}<start_of_turn>model\n`,
  );
  expect(said(null, [system(''), user('Hi')])).toBe(`<bos>${turn('user', '\n\nHi')}<start_of_turn>model\n`);
  expect(said(null, [user('Hi'), { role: 'model', content: 'Yes' }], { answer: false })).toBe(
    `<bos>${turn('user', 'Hi')}${turn('model', 'Yes')}`,
  );
  const form = "which Gemma's turns have no form for. Give a template that knows it.";
  const order = 'and user and assistant take turns, the user first. Mend the conversation.';
  const role = (name: string) =>
    `has the role '${name}', and Gemma's turns know user and assistant. Give a template that knows it.`;
  for (const [messages, sentence] of [
    [[system('S')], 'The conversation has a system text and no turn. Say something first.'],
    [[model('Hi')], `Turn 1 of the conversation is the assistant's, ${order}`],
    [[{ role: 'model', content: 'Hi' }], `Turn 1 of the conversation is the model's, ${order}`],
    [[user('a'), user('b')], `Turn 2 of the conversation is the user's, ${order}`],
    [[system('S'), user('a'), user('b')], `Turn 3 of the conversation is the user's, ${order}`],
    [[user('a'), { role: 'tool', content: 'b' }], `Turn 2 of the conversation ${role('tool')}`],
    [[system('S'), system('T'), user('a')], `Turn 2 of the conversation ${role('system')}`],
    [[user(null)], 'Turn 1 of the conversation has no content, and a text is needed.'],
    [[user(true)], 'Turn 1 of the conversation has true for its content, and a text is needed.'],
    [[system('S'), user(5)], 'Turn 2 of the conversation has 5 for its content, and a text is needed.'],
    [[system(5), user('a')], 'The system text has 5 for its content, and a text is needed.'],
    [[system(null), user('a')], 'The system text has no content, and a text is needed.'],
    [[{ ...system('S'), name: 'n' }, user('a')], `The system text has 'name', ${form}`],
    [[user('a'), { ...model('b'), tool_calls: [] }], `Turn 2 of the conversation has 'tool_calls', ${form}`],
    [[{ ...user('a'), ['k'.repeat(50)]: 1 }], `Turn 1 of the conversation has '${'k'.repeat(40)}', ${form}`],
  ] as const)
    expect(said(null, messages)).toBe(`! ${sentence}`);
  expect(said(null, [system('S'), user('a'), user('b')], { first: 0 })).toBe(
    `! Turn 2 of the conversation is the user's, ${order}`,
  );
});

test('a template that knows no system turn: its text goes in front of what the user says first', () => {
  const source =
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('No system') }}{% endif %}[{{ m.content }}]{% endfor %}{{ add_generation_prompt }}";
  const refused =
    "! The model's chat template refuses this conversation: No system. The system text was read. Mend the conversation, or give another template.";
  expect(said(source, [system('S'), user(' Hi '), model('Yes')])).toBe('[S\n\nHi][Yes]True');
  expect(said(source, [system('S'), user('Hi')], { answer: false })).toBe('[S\n\nHi]False');
  for (const messages of [
    [system('S')],
    [system('S'), model('Hi')],
    [system('S'), user(5)],
    [system([part('S')]), user('Hi')],
    [system('S'), user([part('Hi')])],
    [system('S'), user('Hi'), system('T')],
  ])
    expect(said(source, messages)).toBe(refused);
  expect(said(source, [user('Hi'), system('S')])).toBe(refused.replace('The system text', 'Turn 2 (system)'));
  expect(said(source, [system('S'), user('Hi'), system('T')], { first: 0 })).toBe(refused);
  // One without end is not asked again.
  expect(said('{{ range(10**9) }}', [system('S'), user('Hi')])).toBe(
    "! The model's chat template does not come to an end: a range of 1000000000 numbers, where Jinja allows 100000. Give another template.",
  );
  const endlessAtFirst = "{% if messages[0].role == 'system' %}{{ range(10**9) }}{% endif %}{{ messages[0].content }}";
  expect(said(endlessAtFirst, [system('S'), user('Hi')])).toMatch(/^! .* does not come to an end/);
});

test('whose fault it is, and which turn was read', () => {
  const refuses = "! The model's chat template refuses this conversation:";
  const mend = 'Mend the conversation, or give another template.';
  const cases: [string, ChatMessage[], string][] = [
    ["{{ raise_exception('Odd role.  ') }}", [user('a')], `${refuses} Odd role. ${mend}`],
    ["{{ raise_exception('Odd!') }}", [user('a')], `${refuses} Odd! ${mend}`],
    [
      "{{ messages[1].role }}{{ raise_exception('Odd') }}",
      [user('a'), model('b')],
      `${refuses} Odd. Turn 2 (assistant) was read. ${mend}`,
    ],
    [`{{ raise_exception('${'x'.repeat(700)}') }}`, [user('a')], `${refuses} ${'x'.repeat(600)} ${mend}`],
    // Where none was read, one whose content is no text.
    ["{{ raise_exception('Odd') }}", [user('a'), model(5)], `${refuses} Odd. Turn 2 (assistant) was read. ${mend}`],
    ["{{ raise_exception('Odd') }}", [user([part('a')])], `${refuses} Odd. Turn 1 (user) was read. ${mend}`],
    [
      '{{ messages[0].content }}',
      [user([part('a')])],
      `${refuses} Turn 1 (user) has its content in parts, and the template takes it for a text (it writes a list where a text belongs). Give the text as one, or another template.`,
    ],
    [
      "{{ 'x' + messages[0].content }}",
      [user([part('a')])],
      `${refuses} Turn 1 (user) has its content in parts, and the template takes it for a text (it adds a text and a list). Give the text as one, or another template.`,
    ],
    [
      "{{ messages[0].content + 'x' }}",
      [system([part('a')])],
      `${refuses} The system text has its content in parts, and the template takes it for a text (it adds a list and a text). Give the text as one, or another template.`,
    ],
    [
      '{{ messages[0].content.nothing.more }}',
      [user([part('a')])],
      `${refuses} Turn 1 (user) has its content in parts, and the template takes it for a text ('nothing' is undefined). Give the text as one, or another template.`,
    ],
    [
      "{{ messages[0].content + [1] }}{{ 'x' + [1] }}",
      [user('a')],
      `${refuses} it adds a text and a list. Turn 1 (user) was read. ${mend}`,
    ],
    [
      '{{ messages[0].role | nosuch }}',
      [user('a')],
      "! The model's chat template is at fault, and not the conversation: Unknown filter: nosuch. Turn 1 (user) was read. Give another template.",
    ],
    [
      '{{ nosuch() }}',
      [user('a')],
      "! The model's chat template is at fault, and not the conversation: Cannot call something that is not a function: got UndefinedValue. Give another template.",
    ],
    [
      '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
      [user('a')],
      "! The model's chat template does not come to an end: it calls itself too deep. Give another template.",
    ],
  ];
  for (const [source, messages, sentence] of cases) expect(said(source, messages)).toBe(sentence);
  expect(said("{{ messages[1].role }}{{ raise_exception('Odd') }}", [user('a'), model('b')], { first: 4 })).toMatch(
    /Turn 5 \(assistant\) was read/,
  );
});

test('what a template may name', () => {
  const source =
    '{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}{{ messages | length }}';
  const all = chatTemplate(source, '<s>', '</s>', { pad_token: '<p>', bos_token: '<other>' });
  expect(all.render([user('a')])).toBe('<s></s><p>TrueTrueTrue1');
  expect(all.render([user('a')], false)).toBe('<s></s><p>TrueTrueFalse1');
  expect(said(source, [user('a')])).toBe('<bos><eos>TrueTrueTrue1');
});

test('a template that cannot be read, and one that writes nothing', () => {
  const form = "The model's chat template is no Jinja that can be read:";
  for (const [source, sentence] of [
    ['{% nosuch %}', `${form} Unknown statement type: nosuch. Give another template.`],
    ['{% if yes %}', `${form} a block has no end. Give another template.`],
    [`{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`, `${form} its brackets are too deep. Give another template.`],
  ]) {
    let error: unknown;
    try {
      chatTemplate(source);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TokenizerError);
    expect((error as Error).message).toBe(sentence);
  }
  const nothing =
    "! The model's chat template writes nothing of this conversation, so the model would answer to nothing. Give another template.";
  expect(said('', [user('a')])).toBe(nothing);
  expect(said(' {{ bos_token }}\n{{ bos_token }}', [user('a')])).toBe(nothing);
  expect(said('{{ bos_token }}', [model('a'), user('b')])).toBe(nothing);
  // Nothing was said, or not by the user, or it is no text.
  for (const message of [user(''), user(' \n\x1c'), model('a'), system('a'), user([part('a')]), user(5)])
    expect(said('{{ bos_token }}', [message])).toBe('<bos>');
  const noBos = chatTemplate('{{ bos_token }}', '');
  expect(() => noBos.render([user('a')])).toThrow(/writes nothing/);
  expect(chatTemplate('x', '').render([user('a')])).toBe('x');
});
