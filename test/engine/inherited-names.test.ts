// Every object has a `constructor` and a `toString`. A name from a file or from a person that is called so is as unknown as any other.

import { expect, test } from 'vitest';
import { adapterChoice } from '../../engine/adapter.js';
import { ConfigError, OptionError } from '../../engine/errors.js';
import { configFromGguf, configFromJson } from '../../engine/weights/detect.js';
import { type Chat, runCommand } from '../../lab/chat/commands.js';
import { changed } from '../../lab/chat/settings.js';

const NAMES = [
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'isPrototypeOf',
  '__defineGetter__',
];

test.each(NAMES)('%s is no model type, architecture or layer type', name => {
  expect(() => configFromJson(JSON.parse(`{"model_type": "${name}"}`), 'config.json')).toThrow(ConfigError);
  expect(() => configFromJson({ model_type: name }, 'config.json')).toThrow(/describes a model of type/);
  const layered = { model_type: 'gemma3_text', num_hidden_layers: 1, layer_types: [name] };
  expect(() => configFromJson(layered, 'config.json')).toThrow(ConfigError);
  expect(() => configFromGguf(new Map([['general.architecture', name]]), 8, 'm.gguf', true)).toThrow(ConfigError);
});

test.each(NAMES)('%s is no command, setting or adapter', name => {
  expect(() => runCommand({} as Chat, `/${name}`)).toThrow(OptionError);
  expect(() => runCommand({} as Chat, `/${name}`)).toThrow(`There is no /${name}.`);
  const settings = { temperature: 0, top_k: 0, top_p: 1, seed: 0, max_tokens: 0 };
  expect(() => changed(settings, name, '1')).toThrow(OptionError);
  expect(() => adapterChoice(name)).toThrow(OptionError);
});
