// A file of prompts that is read a piece at a time, however long: a line each, JSON a line, or a column of a Parquet file.

import { isUtf8 } from 'node:buffer';
import { extname } from 'node:path';
import { PromptError } from '../../engine/errors.js';
import { halfOf } from '../../engine/tokenizer/quoted.js';
import { openFile, readLines } from '../../engine/files.js';
import { keyTwice, parseJson } from '../../engine/json.js';
import { visible } from '../../engine/printable.js';
import { narrow } from '../../engine/token-ids.js';
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

/** How a file has its prompts. */
type Form = 'text' | 'JSON' | 'Parquet';

const FORMS: Readonly<Record<string, Form>> = {
  '': 'text',
  '.': 'text',
  '.txt': 'text',
  '.text': 'text',
  '.md': 'text',
  '.jsonl': 'JSON',
  '.ndjson': 'JSON',
  '.parquet': 'Parquet',
};

/** The form that a path's ending says. Throws PromptError for another: as lines of text, what is in it would be other prompts than were meant. */
function formOf(path: string): Form {
  const ending = extname(path);
  const form = FORMS[ending.toLowerCase()];
  if (form) return form;
  throw new PromptError(
    `${path} ends in '${visible(ending)}', and prompts are read of .txt, .md or no ending (a prompt a line, as it is), .jsonl or .ndjson (JSON a line) and .parquet. Write them as one of these.`,
  );
}

/** Prompts one after the other; each iteration reads the file anew. */
export class PromptFile implements AsyncIterable<Prompt> {
  constructor(
    /** As it was given. */
    readonly path: string,
    private readonly column: string | undefined,
    private readonly form: Form = formOf(path),
  ) {}

  /** Where the prompt at a place from 0 is: `prompts.jsonl:7`, a line from 1, or `prompts.parquet, row 6 (from 0)`. */
  where(place: number): string {
    return this.form === 'Parquet' ? `${this.path}, row ${place} (from 0)` : `${this.path}:${place + 1}`;
  }

  /** The prompts in order. Throws PromptError, with the line or the row, for what is none. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Prompt, void, void> {
    for await (const prompt of this.each()) yield prompt();
  }

  /**
   * Each, not looked at yet: it throws the PromptError of a line or a row that is none, and the next can be asked for all the same.
   * @internal
   */
  async *each(): AsyncGenerator<() => Prompt, void, void> {
    let place = 0;
    for await (const one of this.form === 'Parquet' ? this.#rows() : this.#lines()) {
      const at = place;
      yield () => {
        const prompt = one();
        if (prompt.length === 0) throw this.#wrong(at, EMPTY);
        return prompt;
      };
      place += 1;
    }
    if (place === 0)
      throw new PromptError(
        `${this.path} has no prompts. Give a ${this.form === 'Parquet' ? 'row' : 'line'} for each.`,
      );
  }

  readonly #wrong = (place: number, what: string) => new PromptError(`${this.where(place)}: ${what}`);

  async *#lines(): AsyncGenerator<() => Prompt> {
    const json = this.form === 'JSON';
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
      const at = place;
      const wrong = (what: string) => this.#wrong(at, what);
      yield () => {
        if (line === '') throw wrong('The line is empty, and so is its prompt. Take it out, or give it some text.');
        if (line.trim() === '')
          throw wrong(
            `The line has nothing but white space. Take it out${json ? '' : ', or, if that is a prompt, give it as a JSON string in a .jsonl'}.`,
          );
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
          throw new PromptError(`${this.path} has no column '${visible(column)}'; ${there(columns)}`);
        let place = 0;
        for (let some = await rows.next(); some.length > 0; some = await rows.next()) {
          for (const value of some) {
            const at = place;
            const wrong = (what: string) => this.#wrong(at, what);
            yield () => promptIn(plainIn(value, wrong), wrong);
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
/** How deep lists are looked through, which is as deep as a message shows them; and how many columns or keys are named. */
const [DEEPEST, MOST_NAMED] = [4, 20];
const EMPTY = 'The prompt is empty. Take it out, or give it some text.';

/** All prompts of a file, where it is read as a whole. */
export async function promptsOf(file: PromptFile): Promise<Prompt[]> {
  const all: Prompt[] = [];
  for await (const prompt of file) all.push(prompt);
  return all;
}

/** How the place of a prompt is told. */
export type Where = (place: number) => string;
export const inList: Where = place => `prompts[${place}]`;

/**
 * The prompts of a file in UTF-8, as its ending says: a line each of `.txt`, `.md` or none; of `.jsonl` or `.ndjson` a string, a list of ids or `{ "prompt": … }` a line; of a `.parquet` the texts, or lists of ids, of its column `prompt`. It is read a
 * piece at a time, when they are asked for. Throws PromptError for another ending, and, with the line or the row, for what is no prompt.
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
  if (!isObject) {
    if (column !== undefined)
      throw wrong(`The line has no key '${visible(column)}'. Give an object with it, or leave the column out.`);
    return promptIn(value, wrong, 'A line is a JSON string, a list of ids or { "prompt": … }');
  }
  const keys = Object.keys(value as object);
  const key = column ?? 'prompt';
  if (!keys.includes(key)) throw wrong(`The line has no key '${visible(key)}'; ${there(keys)}`);
  const other = column === undefined && keys.find(one => one !== key);
  if (other)
    throw wrong(
      `'${visible(other)}' is no key of a line, which has a prompt and nothing else. Options are the command's, for all lines: take it out, or say that only the prompt is read: { column: 'prompt' }, or --column prompt in a terminal.`,
    );
  return promptIn(
    (value as Readonly<Record<string, unknown>>)[key],
    wrong,
    `'${visible(key)}' is a text or a list of ids`,
  );
}

/** What there is in the place of a column or a key, and how to say which is meant. */
function there(names: readonly string[]): string {
  if (names.length === 0) return 'it is empty. Take it out, or give it a prompt.';
  const more = names.length > MOST_NAMED ? `, … (${names.length} in all)` : '';
  return `there ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, MOST_NAMED).map(visible).join(', ')}${more}. Say which has the prompts: { column }, --column in a terminal, or "column" in a plan of a sweep.`;
}

/** A value of a column as JSON has it: bytes, whose writer has not said what they are, as text, and whole numbers of 64 bits as numbers. */
function plainIn(value: unknown, wrong: (what: string) => PromptError, deep = 0): unknown {
  if (typeof value === 'bigint') return narrow(value);
  if (value instanceof Uint8Array) {
    if (isUtf8(value)) return Buffer.from(value).toString();
    throw wrong('Its bytes are not UTF-8, so that they are no text. Write it as a text or as a list of ids.');
  }
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!isList || deep === DEEPEST) return value;
  return Array.from(value as ArrayLike<unknown>, one => plainIn(one, wrong, deep + 1));
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
      `Its text has half of a surrogate pair (${halfOf(value)} alone), which is no character. Write the whole pair, or take it out.`,
    );
  }
  if (Array.isArray(value) && value.every((id): id is number => typeof id === 'number')) return value;
  throw wrong(`${form}, not ${said(value)}.`);
}
