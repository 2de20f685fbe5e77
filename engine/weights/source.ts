// The one form in which the engine meets weights, whatever file they came from.
//
// Names are canonical and equal to the stages that use them:
//   embed [V,H]   norm [H]   head [V,H] (only when not tied)
//   layers.i.input_norm [H]                     layers.i.post_attn_norm [H] (Gemma 2, 3)
//   layers.i.attn.q [A·D,H]  .k .v [K·D,H]      layers.i.attn.q_norm .k_norm [D] (Gemma 3)
//   layers.i.attn.out [H,A·D]
//   layers.i.pre_mlp_norm [H]                   layers.i.post_mlp_norm [H] (Gemma 2, 3)
//   layers.i.mlp.gate .up [F,H]                 layers.i.mlp.down [H,F]
//
// Norm weights are *gains*: the factor RMSNorm multiplies by. Hugging Face files store w and mean 1 + w, GGUF files have
// the 1 baked in; a source hides the difference.

import type { GemmaConfig } from '../config.js';

/** A tensor of a model's files. */
export interface WeightEntry {
  /** Canonical name. */
  readonly name: string;
  /** Name in the file, for messages. */
  readonly fileName: string;
  /** Rows first: [out, in], or [n] for norms. */
  readonly shape: readonly number[];
  /** Stored format as its file calls it: F32, F16, BF16, Q8_0, Q4_K … */
  readonly format: string;
  /** Bytes in the file. */
  readonly bytes: number;
}

/** Tensors by canonical name, read in ranges of rows so that no whole matrix need exist on the CPU. */
export interface WeightSource {
  /** What there is. */
  readonly entries: ReadonlyMap<string, WeightEntry>;
  /**
   * Dequantised values of rows [start, start + count), row-major; for a 1-D tensor a row is one value.
   * @returns `count × shape[1]` (or `count`) f32 values
   */
  readRows(name: string, start: number, count: number): Promise<Float32Array>;
  /** Rows [start, start + count) of a matrix as they are stored, in the entry's format. */
  readStored(name: string, start: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Closes its files. */
  close(): Promise<void>;
}

/** What a model's files say of conversations. */
export interface ChatFiles {
  /** Where the template was found; null where there is none. */
  readonly templateFrom: string | null;
  /** Why there is none although there are templates; null otherwise. */
  readonly templateProblem: string | null;
  /** Texts of `bos_token` and the like, which templates may name. */
  readonly specialTokens: Readonly<Record<string, string>>;
  /** How answers are drawn by default, as generation_config.json has it; what it says that cannot be used is in `notices`. */
  readonly sampling: SamplingDefaults;
  /** Sentences about what a user should know of them. */
  readonly notices: readonly string[];
}

/** How a model's makers would have its answers drawn. */
export interface SamplingDefaults {
  /** As Sampling has it. */
  readonly temperature?: number;
  /** As Sampling has it; 0: all. */
  readonly topK?: number;
  /** As Sampling has it; 1: all. */
  readonly topP?: number;
}

/** What of a folder may be the vocabulary of its model. */
export interface FolderFiles {
  /** Its path. */
  readonly folder: string;
  /** Path of tokenizer.model, or of a .spm. */
  readonly model: string | null;
  /** Path of tokenizer.json. */
  readonly json: string | null;
  /** Rows of the model's embedding: no id from there on can be read by it. */
  readonly rows: number;
}

/** Everything found at a path: configuration, weights, and a vocabulary if there is one. Nothing is on the GPU yet. */
export interface ModelFiles {
  /** What the user gave: a folder, a .gguf or a .safetensors file. */
  readonly path: string;
  /** Which kind of file the weights are in. */
  readonly format: 'safetensors' | 'gguf';
  /** The model's geometry. */
  readonly config: GemmaConfig;
  /** Its weights, by canonical names. */
  readonly weights: WeightSource;
  /** Where a vocabulary was found; null runs on token ids alone. Opened lazily with `openTokenizer`. */
  readonly vocabulary:
    | {
        /** Which kind of file it is in. */
        readonly kind: 'sentencepiece' | 'tokenizer.json';
        /** Where. */
        readonly path: string;
        /** Everything in the folder that may be the vocabulary: which is read is decided when it is opened. */
        readonly files?: FolderFiles;
      }
    | {
        /** It is in the model's own file. */
        readonly kind: 'gguf';
        /** That file's keys. */
        readonly metadata: ReadonlyMap<string, unknown>;
      }
    | null;
  /** The model's own Jinja template of conversations, if it has one. */
  readonly chatTemplate: string | null;
  /** What a conversation needs beside its template. */
  readonly chat: ChatFiles;
  /** Tensors that the text model has no use for, such as a vision tower: how many, and their names up to the first dot. */
  readonly leftOut: {
    /** How many. */
    readonly tensors: number;
    /** Their names up to the first dot. */
    readonly parts: readonly string[];
  };
  /** Sentences about what was chosen or passed over and a user should know. */
  readonly notices: readonly string[];
  /** SHA-256 over names, shapes, formats and values, of a matrix those of sixteen rows from the first to the last: recognises the model in goldens and traces (hex). */
  readonly fingerprint: string;
  /** Which files the weights are in, and when they were written: another text where one was written since, though the fingerprint, which is of some bytes, is the same. */
  readonly written: string;
  /** Closes the files; what is on the GPU stays. */
  close(): Promise<void>;
}
