// A file of prompts that is read a piece at a time, however long: a line each, JSON a line, or a column of a Parquet file.

import { isUtf8 } from 'node:buffer';
import { PromptError } from '../../engine/errors.js';
import { openFile, readLines } from '../../engine/files.js';
import { keyTwice, parseJson } from '../../engine/json.js';
import { visible } from '../../engine/printable.js';
import { checkName, checkOptions } from './arguments.js';
import { said } from './dims.js';
import { ParquetRows } from './parquet-rows.js';
import { briefly } from './plain.js';

/** A prompt: text, or token ids. */
export type Prompt = string | readonly number[];

/** Where the prompts of a file are. */
export interface PromptFileOptions {
  /** The column of a Parquet file, or the key of a line's object, that has the prompts; default `prompt`. Others are not read. */
  readonly column?: string;
}

/** Prompts one after the other; each iteration reads the file anew. */
export class PromptFile implements AsyncIterable<Prompt> {
  constructor(
    /** As it was given. */
    readonly path: string,
    private readonly column: string | undefined,
  ) {}

  /** Where the prompt at a place from 0 is: `prompts.jsonl:7`, a line from 1, or `prompts.parquet, row 6 (from 0)`. */
  where(place: number): string {
    return this.#isParquet ? `${this.path}, row ${place} (from 0)` : `${this.path}:${place + 1}`;
  }

  /** The prompts in order. Throws PromptError, with the line or the row, for what is none. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Prompt, void, void> {
    let place = 0;
    for await (const one of this.#isParquet ? this.#rows() : this.#lines()) {
      const prompt = one();
      if (prompt.length === 0) throw this.#wrong(place, EMPTY);
      yield prompt;
      place += 1;
    }
    if (place === 0)
      throw new PromptError(`${this.path} has no prompts. Give a ${this.#isParquet ? 'row' : 'line'} for each.`);
  }

  get #isParquet(): boolean {
    return /\.parquet$/i.test(this.path);
  }

  readonly #wrong = (place: number, what: string) => new PromptError(`${this.where(place)}: ${what}`);

  async *#lines(): AsyncGenerator<() => Prompt> {
    const json = /\.jsonl$/i.test(this.path);
    if (!json && this.column !== undefined)
      throw new PromptError(
        `${this.path} is read as a prompt a line, so that it has no column '${visible(this.column)}'. Leave the column out, or give a .jsonl or .parquet.`,
      );
    const fault = (what: string) =>
      new PromptError(
        `${this.path} cannot be read: ${what}. Give a file with a prompt a line, JSON a line in a .jsonl, or a .parquet.`,
      );
    let place = 0;
    for await (const line of readLines(this.path, fault)) {
      const wrong = (what: string) => this.#wrong(place, what);
      yield () => {
        if (line.trim() === '')
          throw wrong('The line is empty, and so is its prompt. Take it out, or give it some text.');
        return json ? promptInJson(line, this.column, wrong) : line;
      };
      place += 1;
    }
  }

  async *#rows(): AsyncGenerator<() => Prompt> {
    const fault = (what: string) =>
      new PromptError(`${this.path} cannot be read as Parquet: ${visible(what)}. Write it again.`);
    const file = await openFile(this.path).catch(error => {
      throw new PromptError((error as Error).message, { cause: error });
    });
    try {
      const column = this.column ?? 'prompt';
      const { rows, columns } = await ParquetRows.open(this.path, file.size, column, fault);
      try {
        if (columns.filter(name => name === column).length > 1)
          throw fault(`it has the column '${column}' twice, and one of them would not be read`);
        if (columns.length === 0) throw fault('it has no columns');
        if (!columns.includes(column))
          throw new PromptError(
            `${this.path} has no column '${visible(column)}'; there ${columns.length === 1 ? 'is' : 'are'} ${columns.map(visible).join(', ')}. Say which has the prompts: { column }, or --column in a terminal.`,
          );
        let place = 0;
        for (let some = await rows.next(); some.length > 0; some = await rows.next()) {
          for (const value of some) {
            const at = place;
            const wrong = (what: string) => this.#wrong(at, what);
            yield () => promptIn(textIn(value, wrong), wrong);
            place += 1;
          }
        }
      } finally {
        await rows[Symbol.asyncDispose]();
      }
    } finally {
      await file.close();
    }
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : briefly(error));
const EMPTY = 'The prompt is empty. Take it out, or give it some text.';
/**
 * The prompts of a file in UTF-8: a line each; of a `.jsonl` a string, a list of ids or `{ "prompt": … }` a line; of a `.parquet` the texts, or lists of ids, of its column `prompt`. It is read a
 * piece at a time, when they are asked for. Throws PromptError, with the line or the row, for what is no prompt.
 * @example await model.runs(prompts('prompts.jsonl'), { tap: 'layers.5.resid' }).save('resid.parquet')
 */
export function prompts(path: string, given: PromptFileOptions = {}): PromptFile {
  checkName('prompts', path);
  const { column } = checkOptions('prompts', given, { column: true });
  if (column !== undefined) checkName('The column of prompts', column);
  return new PromptFile(path, column);
}

function promptInJson(line: string, column: string | undefined, wrong: (what: string) => PromptError): Prompt {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    throw wrong(`This is no JSON: ${messageOf(error)}. Give a JSON value a line.`);
  }
  const twice = keyTwice(line);
  if (twice !== null)
    throw wrong(`The line has the key '${visible(twice)}' twice, and one of them would not be read. Take one out.`);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (column !== undefined) {
    if (isObject && Object.hasOwn(value as object, column))
      return promptIn((value as Readonly<Record<string, unknown>>)[column], wrong);
    throw wrong(`The line has no key '${visible(column)}'. Give an object with it, or another column.`);
  }
  const other = isObject && Object.keys(value as object).find(key => key !== 'prompt');
  if (other)
    throw wrong(
      `'${visible(other)}' is no key of a line, which has a prompt and nothing else. Options are the command's, for all lines: take it out.`,
    );
  const prompt = isObject ? (value as { readonly prompt?: unknown }).prompt : value;
  return promptIn(
    prompt === undefined ? value : prompt,
    wrong,
    'A line is a JSON string, a list of ids or { "prompt": … }',
  );
}

/** The text of bytes, whose writer has not said what they are; any other value as it is. */
function textIn(value: unknown, wrong: (what: string) => PromptError): unknown {
  if (!(value instanceof Uint8Array)) return value;
  if (isUtf8(value)) return Buffer.from(value).toString();
  throw wrong('Its bytes are not UTF-8, so that they are no text. Write it as a text or as a list of ids.');
}

function promptIn(
  value: unknown,
  wrong: (what: string) => PromptError,
  form = 'A prompt is a text or a list of ids',
): Prompt {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value;
    // As an escape in JSON: UTF-8 has none, and the model would read another text.
    throw wrong(
      'Its text has half of a surrogate pair (\\ud83d alone), which is no character. Write the whole pair, or take it out.',
    );
  }
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    const ids = Array.from(value as ArrayLike<unknown>, id => (typeof id === 'bigint' ? Number(id) : id));
    if (ids.every((id): id is number => typeof id === 'number')) return ids;
  }
  throw wrong(`${form}, not ${said(value)}.`);
}
