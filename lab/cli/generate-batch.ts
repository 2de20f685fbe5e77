// loupe generate --prompts: a file of prompts, continued together, and told in its order.

import { PromptError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import { keyTwice, parseJson } from '../../engine/json.js';
import { printableJson, visible } from '../../engine/printable.js';
import type { BatchRunOptions, Prompt } from '../session/batch.js';
import { said } from '../values/dims.js';
import type { Session } from '../session/session.js';
import { print, printText } from './options.js';

const MOST_FILE = 256 << 20; // bytes

/**
 * The prompts of a file: a line each, or, where its name ends in .jsonl, a JSON string, list of ids or { "prompt": … } a line. Throws PromptError, with the
 * line, for what is none.
 */
export function readPrompts(path: string): Prompt[] {
  const fault = (what: string) =>
    new PromptError(`${path} cannot be read: ${what}. Give a file with a prompt a line, or JSON a line in a .jsonl.`);
  const lines = readText(path, MOST_FILE, fault).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new PromptError(`${path} has no prompts. Give a line for each.`);
  const one = /\.jsonl$/i.test(path) ? promptInJson : (line: string) => line;
  return lines.map((line, i) => {
    const wrong = (what: string) => new PromptError(`${path}:${i + 1}: ${what}`);
    if (line.trim() === '') throw wrong('The line is empty, and so is its prompt. Take it out, or give it some text.');
    const prompt = one(line, wrong);
    if (prompt.length === 0) throw wrong('The prompt is empty. Take the line out, or give it some text.');
    return prompt;
  });
}

function promptInJson(line: string, wrong: (what: string) => PromptError): Prompt {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    throw wrong(
      `This is no JSON: ${error instanceof Error ? error.message : String(error)}. Give a JSON value a line.`,
    );
  }
  const twice = keyTwice(line);
  if (twice !== null)
    throw wrong(`The line has the key '${visible(twice)}' twice, and one of them would not be read. Take one out.`);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const other = isObject && Object.keys(value as object).find(key => key !== 'prompt');
  if (other)
    throw wrong(
      `'${visible(other)}' is no key of a line, which has a prompt and nothing else. Options are the command's, for all lines: take it out.`,
    );
  const prompt = isObject ? (value as { readonly prompt?: unknown }).prompt : value;
  if (typeof prompt === 'string' || (Array.isArray(prompt) && prompt.every(id => typeof id === 'number')))
    return prompt;
  throw wrong(
    `A line is a JSON string, a list of ids or { "prompt": … }, not ${said(prompt === undefined ? value : prompt)}.`,
  );
}

/** Prints each continuation as soon as it and those before it are there. */
export async function printContinuations(
  session: Session,
  prompts: readonly Prompt[],
  options: BatchRunOptions,
  json: boolean,
): Promise<void> {
  const { adapter } = session.provenance();
  const generation = session.generate(prompts, options);
  let told = 0;
  const tell = (until: number) => {
    for (; told < until; told++) {
      const { ids, text, stop } = generation.soFar[told];
      if (json) print(printableJson({ prompt: prompts[told], ids, text, stop, plan: options.plan, adapter }));
      else printText(`${told > 0 ? '\n' : ''}${typeof prompts[told] === 'string' ? prompts[told] : ''}${text}\n`);
    }
  };
  const over = new Set<number>();
  for await (const { sequence, last } of generation) {
    if (last) over.add(sequence);
    let until = told;
    while (over.has(until)) until += 1;
    tell(until);
  }
  tell(prompts.length);
}
