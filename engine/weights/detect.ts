// Which Gemma is it? A config.json or the metadata of a GGUF becomes one GemmaConfig, or is refused by the name of what stands in the way.

export { configFromGguf } from './config-gguf.js';
export { configFromJson } from './config-json.js';
