// Model folders: what is refused before it does harm, and what lies beside the weights.

import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openModelFiles } from '../../engine/weights/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();

/** Every name with something in front. */
const wrapped = (prefix: string) => (shapes: Map<string, number[]>) => {
  const all = [...shapes];
  shapes.clear();
  for (const [name, shape] of all) shapes.set(prefix + name, shape);
};

describe('a model folder', () => {
  const cases: [string, (at: string) => Promise<unknown> | unknown, RegExp][] = [
    ['that is not there', () => {}, /There is no model at .*missing\. Give a folder with config\.json/],
    ['without config.json', at => mkdirSync(at), /has no config\.json, so it is not a model folder/],
    [
      'of another family',
      at => writeTiny(at, { config: { model_type: 'llama' } }),
      /of type 'llama', and Loupe runs Gemma/,
    ],
    [
      'that lacks a tensor',
      at => writeTiny(at, { tensors: s => s.delete('model.layers.1.mlp.up_proj.weight') }),
      /lacks the weight 'layers\.1\.mlp\.up' \[256,128\]/,
    ],
    ...(['module.', '_orig_mod.', 'module._orig_mod.', '_fsdp_wrapped_module.'] as const).map(
      (prefix): (typeof cases)[number] => [
        `with ${prefix} before its names`,
        at => writeTiny(at, { tensors: wrapped(prefix) }),
        new RegExp(
          `lacks the weight 'embed' .*: it has it as '${prefix}model\\.embed_tokens\\.weight', the name that a wrapper`,
        ),
      ],
    ),
    [
      'with a head of its own, which it lacks',
      at => writeTiny(at, { config: { tie_word_embeddings: false } }),
      /lacks the weight 'head' .* whose head is not the embedding \(lm_head\.weight, .*tie_word_embeddings: true/,
    ],
    [
      'whose weights are a link to nothing',
      async at => {
        await writeTiny(at);
        rmSync(join(at, 'model.safetensors'));
        symlinkSync('../blobs/abc', join(at, 'model.safetensors'));
      },
      /model\.safetensors is a link to \.\.\/blobs\/abc, which is not there\. Fetch the weights again\.$/,
    ],
    [
      'with a size that is none',
      at => writeTiny(at, { config: { head_dim: 0 } }),
      /config\.json gives head_dim = 0, and a whole number from 1 to 4096/,
    ],
    [
      'with a wrong shape',
      at => writeTiny(at, { tensors: s => s.set('model.norm.weight', [64]) }),
      /'model\.norm\.weight' in the shape \[64\], but its configuration says \[128\]/,
    ],
    [
      'with heads that do not divide',
      at => writeTiny(at, { config: { num_key_value_heads: 3 } }),
      /4 query heads cannot share 3/,
    ],
    [
      'with absurd counts',
      at => writeTiny(at, { config: { num_hidden_layers: 1e9, layer_types: null } }),
      /gives 1000000000 layers, and a whole number from 1 to 1000/,
    ],
    [
      'with an unknown layer type',
      at => writeTiny(at, { config: { layer_types: ['full_attention', 'odd'] } }),
      /one of them 'odd'/,
    ],
  ];
  test.each(cases)('%s is refused with the cure', async (name, make, message) => {
    const at = join(folder, name === 'that is not there' ? 'missing' : name.replace(/\W+/g, '-'));
    await make(at);
    await expect(openModelFiles(at)).rejects.toThrow(message);
  });

  test('of shards with an index opens like a single file', async () => {
    const at = await writeTiny(join(folder, 'shards'));
    const whole = await openModelFiles(at);
    const { readdirSync, renameSync } = await import('node:fs');
    renameSync(join(at, 'model.safetensors'), join(at, 'model-00001-of-00001.safetensors'));
    expect(readdirSync(at)).toHaveLength(2);
    await expect(openModelFiles(at)).rejects.toThrow(/neither model\.safetensors nor model\.safetensors\.index\.json/);
    const map = Object.fromEntries(
      [...whole.weights.entries.values()].map(e => [e.fileName, 'model-00001-of-00001.safetensors']),
    );
    writeFileSync(join(at, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    const sharded = await openModelFiles(at);
    expect(sharded.fingerprint).toBe(whole.fingerprint);
    await sharded.close();
    // The same tensor in two shards: which one is meant?
    copyFileSync(join(at, 'model-00001-of-00001.safetensors'), join(at, 'other.safetensors'));
    writeFileSync(
      join(at, 'model.safetensors.index.json'),
      JSON.stringify({ weight_map: { ...map, again: 'other.safetensors' } }),
    );
    await expect(openModelFiles(at)).rejects.toThrow(
      /other\.safetensors has the tensor '.*', which model-00001-of-00001\.safetensors in the same folder has too/,
    );
    writeFileSync(join(at, 'model.safetensors.index.json'), JSON.stringify({ weight_map: { a: 'gone.safetensors' } }));
    await expect(openModelFiles(at)).rejects.toThrow(/names the shard gone\.safetensors, which is not there/);
    await whole.close();
  });
});

describe('what lies beside the weights', () => {
  test('vision tensors are left out with a word; a template and a vocabulary are found', async () => {
    const at = await writeTiny(join(folder, 'beside'), {
      tensors: shapes => shapes.set('model.vision_tower.patch.weight', [4, 4]).set('multi_modal_projector.w', [4]),
    });
    const bare = await openModelFiles(at);
    expect(bare.leftOut).toEqual({ tensors: 2, parts: ['vision_tower', 'multi_modal_projector'] });
    expect([bare.vocabulary, bare.chatTemplate]).toEqual([null, null]);
    await bare.close();
    const found = async () => {
      const files = await openModelFiles(at);
      await files.close();
      return [files.vocabulary?.kind, files.chatTemplate];
    };
    writeFileSync(join(at, 'tokenizer.json'), '{}');
    const named = [
      { name: 'tool', template: 'T' },
      { name: 'default', template: 'D' },
    ];
    writeFileSync(join(at, 'tokenizer_config.json'), JSON.stringify({ chat_template: named }));
    expect(await found()).toEqual(['tokenizer.json', 'D']);
    writeFileSync(join(at, 'tokenizer_config.json'), JSON.stringify({ chat_template: 'C' }));
    writeFileSync(join(at, 'tokenizer.model'), '');
    expect(await found()).toEqual(['sentencepiece', 'C']);
    writeFileSync(join(at, 'chat_template.jinja'), 'J');
    expect(await found()).toEqual(['sentencepiece', 'J']);
    writeFileSync(join(at, 'chat_template.jinja'), '');
    writeFileSync(join(at, 'tokenizer_config.json'), 'not JSON');
    expect(await found()).toEqual(['sentencepiece', '']);
  });
});
