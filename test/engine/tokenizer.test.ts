// atlas' vocabulary against Python's sentencepiece (golden/atlas/tokens.jsonl); the real one is in test/slow.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { uniform } from '../../engine/sample.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { vocabularyFromModel } from '../../engine/tokenizer/sentencepiece-model.js';
import { vocabularyFromJson } from '../../engine/tokenizer/tokenizer-json.js';

const path = join(packageRoot(), 'golden/atlas/tokenizer.model');
const tokenizer = await openTokenizerFile(path);
const cases = readFileSync(join(packageRoot(), 'golden/atlas/tokens.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as { text: string; ids: number[]; back: string });

test('1500 strings of 30 scripts, code, emoji, control characters and random bytes', () => {
  for (const { text, ids, back } of cases) {
    expect({ text, ids: tokenizer.encode(text) }).toEqual({ text, ids });
    expect({ text, back: tokenizer.decode(ids) }).toEqual({ text, back });
  }
  expect(cases).toHaveLength(1500);
});

test('a stream gives the same text as decoding at once, and never half a character', () => {
  for (const { ids, back } of cases) {
    const stream = tokenizer.stream();
    const parts = ids.map(id => stream.push(id));
    expect(parts.join('') + stream.end()).toBe(back);
  }
  const stream = tokenizer.stream();
  const bytes = tokenizer.encode('👍');
  expect(bytes).toHaveLength(4);
  expect(bytes.map(id => stream.push(id))).toEqual(['', '', '', '👍']);
});

test('bos only when asked for; lone surrogates become U+FFFD; a megabyte of one letter ends', () => {
  expect(tokenizer.encode('a', { bos: true })[0]).toBe(2);
  expect(tokenizer.encode('a')[0]).not.toBe(2);
  expect(tokenizer.encode('a\ud800b')).toEqual(tokenizer.encode('a\ufffdb'));
  expect(tokenizer.decode(tokenizer.encode('a'.repeat(1_000_000)))).toHaveLength(1_000_000);
});

test('broken files and ids are refused in one sentence', () => {
  const bytes = new Uint8Array(readFileSync(path));
  expect(() => vocabularyFromModel(bytes.subarray(0, 5000), 'm')).toThrow(
    /m is not a sound SentencePiece model|has no pieces/,
  );
  expect(() => vocabularyFromModel(new Uint8Array(), 'm')).toThrow(/it has no pieces/);
  expect(() => vocabularyFromModel(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0x7f), 'm')).toThrow(
    /claims \d+ bytes where 0 are left/,
  );
  for (const id of [-1, 1.5, Number.NaN]) {
    expect(() => tokenizer.decode([id])).toThrow(/is no token id; these are whole numbers from 0 to 511/);
  }
});

interface Listed {
  readonly name: string;
  readonly reference: 'sentencepiece' | 'tokenizers';
  readonly file: 'model' | 'json';
  readonly data: string;
  readonly cases: readonly { text: string; ids: number[]; back: string }[];
}
const vocabularies = readFileSync(
  process.env.LOUPE_VOCABULARIES ?? join(packageRoot(), 'golden/vocabularies.jsonl'),
  'utf8',
)
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Listed);
const opened = ({ file, data, name }: Listed) => {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  return new PieceTokenizer(file === 'json' ? vocabularyFromJson(bytes, name) : vocabularyFromModel(bytes, name));
};

test.each(vocabularies)('$name: every string as $reference has it, and back', listed => {
  const one = opened(listed);
  const special = listed.reference === 'tokenizers';
  for (const { text, ids, back } of listed.cases) {
    expect({ text, ids: one.encode(text, { special }) }).toEqual({ text, ids });
    expect({ text, back: one.decode(ids) }).toEqual({ text, back });
  }
  expect(listed.cases.length).toBeGreaterThan(100);
});

test('decoding what was encoded gives any text back, with Gemma’s rules', () => {
  const random = uniform(5);
  const pick = (n: number) => Math.floor(random() * n);
  const point = (): string => {
    const kind = pick(6);
    if (kind === 0) return ' ';
    if (kind === 1) return '\n';
    const code = kind === 2 ? pick(128) : kind === 3 ? pick(0x800) : kind === 4 ? pick(0x10000) : pick(0x110000);
    return code >= 0xd800 && code < 0xe000 ? '\ufffd' : String.fromCodePoint(code).replace('\u2581', '_');
  };
  const ours = vocabularies.filter(({ name }) => / as Gemma's$/.test(name)).map(opened);
  expect(ours).toHaveLength(3);
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: 1 + pick(40) }, point).join('');
    for (const one of ours) expect(one.decode(one.encode(text))).toBe(text);
  }
});

test('control pieces in a text are text, or themselves when asked for; bos comes once', () => {
  const [model, , json] = ["bpe as Gemma's", '', "tokenizer.json as Gemma's"].map(name => {
    const listed = vocabularies.find(one => one.name === name);
    return listed && opened(listed);
  });
  for (const one of [model!, json!]) {
    const { bosId, eosId } = one;
    expect(one.encode('<s>a</s>', { special: true, bos: true })).toEqual([bosId, ...one.encode('a'), eosId]);
    expect(one.encode('<s>a')).not.toContain(bosId);
    expect(one.decode(one.encode('<s>a'))).toBe('<s>a');
    expect(one.encode('', { bos: true })).toEqual([bosId]);
    expect(one.isControl(bosId)).toBe(true);
    expect(one.idOf('<s>')).toBe(bosId);
    expect(one.idOf('no such piece')).toBeNull();
  }
});

test('tokenizer.json: what Loupe does not do is refused by name, and broken ones in a sentence', () => {
  const text = Buffer.from(
    vocabularies.find(one => one.name === "tokenizer.json as Gemma's")!.data,
    'base64',
  ).toString();
  const file = JSON.parse(text);
  const refused = (changed: unknown) => () =>
    vocabularyFromJson(new TextEncoder().encode(typeof changed === 'string' ? changed : JSON.stringify(changed)), 'T');
  const model = (change: object) => refused({ ...file, model: { ...file.model, ...change } });
  expect(model({ type: 'WordPiece' })).toThrow(/T is of the kind WordPiece, which no Gemma tokenizer does/);
  expect(model({ byte_fallback: false })).toThrow(/no bytes to fall back on/);
  expect(model({ dropout: 0.1 })).toThrow(/dropout = 0.1/);
  expect(model({ merges: [['a']] })).toThrow(/among its merges/);
  expect(model({ merges: [['a', 'no such piece']] })).toThrow(/has 'no such piece.*among its merges/);
  expect(model({ merges: ['ab'] })).toThrow(/among its merges/);
  expect(model({ vocab: { a: 'x' } })).toThrow(/in its vocabulary, where a piece and its id are expected/);
  expect(model({ vocab: { a: 2 ** 40 } })).toThrow(/the id 1099511627776, and ids up to 1048575 are read/);
  expect(model({ vocab: { a: 5, b: 5 }, merges: [] })).toThrow(/gives the id 5 to two pieces, 'a' and 'b'/);
  expect(refused(text.replace(/"vocab": *\{/, '"vocab": {"qu": 3000, '))).toThrow(
    /has the piece 'qu' twice, with the ids \d+ and 3000/,
  );
  expect(refused({ ...file, normalizer: { type: 'NFC' } })).toThrow(/normalises text by {"type":"NFC"}/);
  expect(refused({ ...file, pre_tokenizer: { type: 'ByteLevel' } })).toThrow(/cuts text by/);
  expect(refused({ ...file, added_tokens: [{ id: -1, content: 'x' }] })).toThrow(/the added token 'x' the id -1/);
  expect(refused({ ...file, added_tokens: [{ id: 5, content: 'x', lstrip: 'yes' }] })).toThrow(
    /lstrip = "yes", and true or/,
  );
  expect(refused({ ...file, added_tokens: [{ id: 5 }] })).toThrow(
    /among its added tokens, where an object with a text/,
  );
  for (const broken of ['', '{}', '[]', 'null', '{"model":3}', text.slice(0, text.length / 2)]) {
    expect(refused(broken)).toThrow(/^T /);
  }
  // Any byte lost: refused, or read as something else, but never a crash.
  for (let at = 0; at < text.length; at += 997) {
    try {
      refused(text.slice(0, at) + text.slice(at + 1))();
    } catch (error) {
      expect((error as Error).name).toBe('TokenizerError');
    }
  }
});
