// Every reader of files and messages: what it begins with, how that is changed, and what is done with what it accepts, as a session would.

import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LoupeError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { chatTemplate } from '../../engine/tokenizer/chat-template.js';
import { openTokenizer, openTokenizerFile } from '../../engine/tokenizer/open.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { openGguf } from '../../engine/weights/gguf.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { fromArrow } from '../../lab/values/activation.js';
import '../../lab/index.js'; // values with their pictures
import { load } from '../../lab/chat/file.js';
import { checkTokens } from '../../lab/parity/tokens.js';
import { golden } from '../../lab/values/golden.js';
import { PromptFile } from '../../lab/values/prompt-file.js';
import { trace } from '../../lab/values/trace.js';
import { readNames } from '../../lab/values/trace-names.js';
import { npy, safetensorsOf, zip } from '../fixtures/array-files.js';
import { readConnection } from '../../lab/kernel/connection.js';
import { Wire, WireError } from '../../lab/kernel/wire.js';
import { mutateGguf, writtenGguf } from './mutate-gguf.js';
import { type Json, mutateJson, parsed, written } from './mutate-json.js';
import { fieldsOf, mutateProtobuf } from './mutate-protobuf.js';
import { mutateTemplate } from './mutate-template.js';
import type { Random } from './random.js';
import * as seeds from './seeds.js';

export interface Seed {
  readonly bytes: Buffer;
  /** A change that knows the form. */
  mutate?(random: Random): Buffer;
}

export interface Reader {
  readonly name: string;
  /** Files that are accepted as they are. */
  seeds(): Promise<readonly Seed[]> | readonly Seed[];
  /** Reads the input and uses what was read; throws what refuses it. @returns what a reference would say, where there is one */
  read(bytes: Buffer, folder: string): Promise<unknown>;
}

/** Errors that readers may throw. */
export const isOurs = (error: unknown): boolean => error instanceof LoupeError || error instanceof WireError;

const json = (text: string): Seed => {
  const form = parsed(text);
  return { bytes: Buffer.from(text), mutate: random => Buffer.from(written(mutateJson(form, random))) };
};

/** Safetensors: the header's JSON is changed, and its length told rightly. */
const withHeader = (bytes: Buffer): Seed => {
  const length = Number(bytes.readBigUInt64LE(0));
  const form = parsed(bytes.toString('utf8', 8, 8 + length));
  const data = bytes.subarray(8 + length);
  return {
    bytes,
    mutate(random) {
      const header = Buffer.from(written(mutateJson(form, random)));
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(header.length));
      const rest = random.once(8) ? Buffer.concat([data, Buffer.alloc(random.below(9))]) : data;
      return Buffer.concat([size, header, rest]);
    },
  };
};

/** A kernel's message: four parts, a line each. */
const message = (...parts: string[]): Seed => {
  const forms = parts.map(parsed);
  return {
    bytes: Buffer.from(parts.join('\n')),
    mutate(random) {
      const changed = random.below(forms.length);
      return Buffer.from(forms.map((form, i) => written(i === changed ? mutateJson(form, random) : form)).join('\n'));
    },
  };
};

async function file(bytes: Buffer, folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const TEXT = 'abc  ▁a\n<start_of_turn>The capital of ﬁ Ⅷ é🙂<0x0A><bos>';

function useTokenizer(tokenizer: Tokenizer): void {
  for (const special of [true, false]) {
    const ids = tokenizer.encode(TEXT, { bos: true, special });
    tokenizer.decode(ids.filter(id => id >= 0));
  }
  for (const id of [0, 1, tokenizer.size - 1, tokenizer.bosId, tokenizer.eosId]) {
    if (!Number.isInteger(id) || id < 0 || id >= tokenizer.size) continue;
    tokenizer.piece(id);
    tokenizer.isControl(id);
    tokenizer.decode([id, id]);
  }
}

/** A model folder with the input in the place of one file. */
const inFolder = (name: string, texts: readonly string[]): Reader => ({
  name,
  seeds: () => texts.map(json),
  async read(bytes, folder) {
    const at = join(folder, name.replace(/\W/g, '-'));
    if (!existsSync(at)) await makeModel(at);
    writeFileSync(join(at, name), bytes);
    await useModel(at);
  },
});

/** A sound model; where an index is to be read, its weights are a shard. */
async function makeModel(at: string): Promise<void> {
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, at.endsWith('index-json') ? 'part-1.safetensors' : 'model.safetensors'), await WEIGHTS);
  writeFileSync(join(at, 'config.json'), JSON.stringify(seeds.CONFIG));
  writeFileSync(join(at, 'tokenizer.json'), seeds.SMALL_TOKENIZER);
}

async function useTrace(path: string): Promise<void> {
  const opened = await trace(path, { ids: [2, 5] });
  for (const name of opened.arrays.keys())
    await opened.read(name).catch(error => {
      if (!isOurs(error)) throw error;
    });
  shown(opened);
}

const WEIGHTS = seeds.weights();

async function useModel(path: string): Promise<void> {
  const files = await openModelFiles(path);
  try {
    if (files.vocabulary) useTokenizer(await openTokenizer(files.vocabulary));
    const template = chatTemplate(files.chatTemplate);
    template.render([{ role: 'user', content: 'hi' }]);
  } finally {
    await files.close();
  }
}

const INDEX = {
  metadata: { total_size: 100 },
  weight_map: Object.fromEntries(seeds.weightNames.map(name => [name, 'part-1.safetensors'])),
};

export const READERS: readonly Reader[] = [
  {
    name: 'safetensors',
    async seeds() {
      const sound = await seeds.safetensors(
        { a: [2, 3], b: [4], c: [0], 'layers.0.w': [1, 1, 2] },
        { format: 'pt', note: 'é' },
      );
      const one = await seeds.safetensors({ t: [4] });
      return [withHeader(sound), withHeader(one), withHeader(await WEIGHTS)];
    },
    async read(bytes, folder) {
      const opened = await openSafetensors(await file(bytes, folder, 'a.safetensors'));
      try {
        const tensors: [string, unknown][] = [];
        for (const { name, dtype, shape } of opened.tensors.values()) {
          tensors.push([name, [dtype, shape, (await opened.readBytes(name))[0] ?? null]]);
          await opened.readF32(name).catch(error => {
            if (!isOurs(error)) throw error;
          });
        }
        return { tensors, metadata: [...opened.metadata] };
      } finally {
        await opened.close();
      }
    },
  },
  {
    name: 'gguf',
    seeds: () => [
      { bytes: writtenGguf(seeds.ggufFormats()), mutate: random => mutateGguf(seeds.ggufFormats(), random) },
    ],
    async read(bytes, folder) {
      const opened = await openGguf(await file(bytes, folder, 'a.gguf'));
      try {
        for (const name of opened.tensors.keys()) await opened.readF32(name);
      } finally {
        await opened.close();
      }
    },
  },
  {
    name: 'gguf model',
    seeds: () => [{ bytes: writtenGguf(seeds.ggufModel()), mutate: random => mutateGguf(seeds.ggufModel(), random) }],
    read: async (bytes, folder) => useModel(await file(bytes, folder, 'model.gguf')),
  },
  {
    name: 'tokenizer.json',
    seeds: () => seeds.vocabularies('json').map(bytes => json(bytes.toString())),
    read: async (bytes, folder) => useTokenizer(await openTokenizerFile(await file(bytes, folder, 'tokenizer.json'))),
  },
  {
    name: 'tokenizer.model',
    seeds: () =>
      [seeds.atlas('tokenizer.model'), ...seeds.vocabularies('model')].map(bytes => {
        const fields = fieldsOf(bytes, new Set([1, 2, 3]));
        return { bytes, mutate: random => mutateProtobuf(fields, random) };
      }),
    read: async (bytes, folder) => useTokenizer(await openTokenizerFile(await file(bytes, folder, 'tokenizer.model'))),
  },
  inFolder('config.json', [
    JSON.stringify(seeds.CONFIG),
    JSON.stringify({ model_type: 'gemma3', text_config: seeds.CONFIG, vision_config: {}, eos_token_id: [1, 106] }),
    JSON.stringify({
      ...seeds.CONFIG,
      rope_theta: undefined,
      rope_parameters: {
        full_attention: { rope_type: 'linear', factor: 8, rope_theta: 1e6 },
        sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
      },
    }),
  ]),
  inFolder('generation_config.json', [
    '{"eos_token_id":[1,106],"temperature":1.0,"top_k":64,"top_p":0.95,"do_sample":true}',
  ]),
  inFolder('tokenizer_config.json', [
    '{"chat_template":"{{ bos_token }}x","bos_token":"<bos>","eos_token":{"content":"<eos>"},"added_tokens_decoder":{"0":{"content":"<pad>","special":true}}}',
    '{"chat_template":[{"name":"default","template":"a"},{"name":"tool","template":"b"}]}',
  ]),
  inFolder('chat_template.json', [
    '{"chat_template":"{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"}',
  ]),
  inFolder('added_tokens.json', ['{"<extra>":32,"<more>":33}']),
  inFolder('special_tokens_map.json', [
    '{"bos_token":"<bos>","eos_token":{"content":"<eos>","lstrip":false},"additional_special_tokens":["<a>"]}',
  ]),
  inFolder('model.safetensors.index.json', [JSON.stringify(INDEX)]),
  {
    name: 'template',
    seeds: () =>
      [
        ...seeds.templates(),
        '{%- set x = namespace(n=0) -%}{%- for m in messages -%}{%- set x.n = x.n + 1 -%}{{ m["content"] | trim }}{%- endfor -%}{{ x.n }}',
      ].map(text => ({
        bytes: Buffer.from(text),
        mutate: random => Buffer.from(mutateTemplate(text, random)),
      })),
    async read(bytes) {
      const template = chatTemplate(bytes.toString());
      template.render([
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'ho' },
        { role: 'user', content: ' é ' },
      ]);
    },
  },
  {
    name: 'golden',
    async seeds() {
      const metadata = {
        loupe_golden: '1',
        ids: '[2,5]',
        chunks: '[1,1]',
        pieces: '["a","▁b"]',
        model: 'm',
        torch: '2',
      };
      const made = await seeds.safetensors({ embed: [2, 4], 'layers.0.resid': [2, 4] }, metadata);
      // The values of the metadata are JSON again: changed as such half of the time.
      const within = (bytes: Buffer): Seed => {
        const whole = withHeader(bytes);
        const fields = Object.entries(metadata).map(([key, value]): [string, Json | null] => [
          key,
          value.startsWith('[') ? parsed(value) : null,
        ]);
        const rest = bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
        return {
          bytes,
          mutate(random) {
            if (random.once(2)) return whole.mutate!(random);
            const chosen = random.below(fields.length);
            const changed = Object.fromEntries(
              fields.map(([key, form], i) => [
                key,
                i === chosen && form ? written(mutateJson(form, random)) : metadata[key as 'ids'],
              ]),
            );
            const old = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
            const header = Buffer.from(JSON.stringify({ ...old, __metadata__: changed }));
            const size = Buffer.alloc(8);
            size.writeBigUInt64LE(BigInt(header.length));
            return Buffer.concat([size, header, rest]);
          },
        };
      };
      return [within(made)];
    },
    async read(bytes, folder) {
      const opened = await golden(await file(bytes, folder, 'golden.safetensors'));
      for (const stage of opened.stages.keys())
        await opened.read(stage).catch(error => {
          if (!isOurs(error)) throw error;
        });
      shown(opened);
    },
  },
  {
    name: 'arrays',
    async seeds() {
      const data = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
      const ids = npy('<i8', [1, 2], Buffer.from(BigInt64Array.of(2n, 5n).buffer));
      const members = [
        { name: 'input_ids.npy', data: ids },
        { name: 'l_out-0.npy', data: npy('<f4', [2, 3], data) },
        { name: 'result_norm.npy', data: npy('>f2', [2, 3], data.subarray(0, 12), { fortran: true }), deflate: true },
      ];
      const tensors = { 'model.layers.0': ['BF16', [1, 2, 3], data.subarray(0, 12)] as const };
      return [
        { bytes: zip(members) },
        { bytes: zip(members, { wide: true }) },
        { bytes: npy('<f8', [1, 3], data) },
        withHeader(safetensorsOf(tensors, { ids: '[2,5]' })),
      ];
    },
    read: async (bytes, folder) => useTrace(await file(bytes, folder, 'arrays')),
  },
  {
    name: 'map of names',
    seeds: () => [
      json('{"l_out-{i}":"layers.{i}.resid","q":{"stage":"layers.0.attn.q","layout":"head,token,dim","factor":2}}'),
      json('{"scratch":null,"n":{"stage":"embed","before":"scale"}}'),
    ],
    async read(bytes, folder) {
      const map = readNames(await file(bytes, folder, 'names.json'));
      for (const name of ['l_out-3', 'q', 'scratch', 'n', '__proto__', '']) map.ruleOf(name);
    },
  },
  {
    // The table itself is apache-arrow's to read: what is changed is what a table says of itself, and which table it is.
    name: 'arrow',
    seeds: () =>
      seeds.arrowTables().map((table, i) => {
        const form = parsed(table.schema.metadata.get('loupe')!);
        return {
          bytes: Buffer.from(`${i}${written(form)}`),
          mutate: random => Buffer.from(`${random.once(4) ? random.below(10) : i}${written(mutateJson(form, random))}`),
        };
      }),
    async read(bytes) {
      const tables = [...seeds.arrowTables(), ...seeds.otherTables()];
      const table = tables[bytes[0] - 0x30] ?? tables[0];
      table.schema.metadata.set('loupe', bytes.toString('utf8', 1));
      const activation = fromArrow(table);
      activation.stats();
      shown(activation);
    },
  },
  {
    name: 'saved chat',
    seeds: () => [
      json(
        JSON.stringify({
          loupe_conversation: 1,
          model: 'atlas',
          system: 'short',
          messages: [
            { role: 'user', content: 'hi' },
            { role: 'assistant', content: 'ho' },
          ],
          settings: { temperature: 0.8, top_k: 64, top_p: 0.95, seed: 1, max_tokens: 0 },
        }),
      ),
    ],
    read: async (bytes, folder) => load(await file(bytes, folder, 'chat.json')),
  },
  {
    name: 'prompts.jsonl',
    seeds: () => [json('{"prompt":"The capital of"}'), json('{"prompt":[5,6,7]}'), json('"a text"')],
    read: async (bytes, folder) => readPrompts(await file(bytes, folder, 'prompts.jsonl')),
  },
  {
    name: 'prompts.parquet',
    seeds: () => seeds.parquet().map(bytes => ({ bytes })),
    read: async (bytes, folder) => readPrompts(await file(bytes, folder, 'prompts.parquet')),
  },
  {
    name: 'token cases',
    seeds: () => [json('{"text":"abc","ids":[5,6],"back":"ab","hf":[5],"hf_back":"a"}')],
    async read(bytes, folder) {
      const tokenizer = await ATLAS;
      await checkTokens(tokenizer, await file(bytes, folder, 'cases.jsonl'), 'tokenizers');
    },
  },
  {
    name: 'connection file',
    seeds: () => [
      json(
        '{"transport":"tcp","ip":"127.0.0.1","key":"k","signature_scheme":"hmac-sha256","iopub_port":1,"shell_port":2,"control_port":3,"stdin_port":4,"hb_port":5}',
      ),
    ],
    read: async (bytes, folder) => readConnection(await file(bytes, folder, 'connection.json')),
  },
  {
    name: 'kernel message',
    seeds: () => [
      message(
        '{"msg_id":"1","msg_type":"execute_request","session":"s","username":"u","date":"2026-01-01T00:00:00Z","version":"5.4"}',
        '{}',
        '{}',
        '{"code":"1","silent":false,"store_history":true,"user_expressions":{}}',
      ),
      message(
        '{"msg_id":"1","msg_type":"complete_request","session":"s","username":"u","date":"","version":"5.4"}',
        '{"msg_id":"0","msg_type":"x"}',
        '{"a":[1]}',
        '{"code":"mod","cursor_pos":3}',
      ),
    ],
    async read(bytes) {
      const key = 'k';
      const wire = new Wire(key);
      const parts = bytes
        .toString('latin1')
        .split('\n')
        .map(part => Buffer.from(part, 'latin1'));
      const hmac = createHmac('sha256', key);
      for (const part of parts) hmac.update(part);
      const frames = [Buffer.from('id'), Buffer.from('<IDS|MSG>'), Buffer.from(hmac.digest('hex')), ...parts];
      const request = wire.parse(frames);
      wire.frames('status', '{}', request);
    },
  },
];

const ATLAS = openTokenizerFile(join(packageRoot(), 'golden', 'atlas', 'tokenizer.model'));

/** Looks at a value as a notebook does. */
function shown(value: object): void {
  const display = (value as Record<symbol, unknown>)[Symbol.for('Jupyter.display')];
  if (typeof display === 'function') display.call(value);
}

async function readPrompts(path: string): Promise<void> {
  for await (const prompt of new PromptFile(path, undefined))
    if (prompt.length === 0) throw new Error('an empty prompt');
}
