// What is read of a file of prompts is what its ending and its columns say, and nothing of it is guessed.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { PromptError } from '../../engine/errors.js';
import { prompts } from '../../lab/values/prompt-file.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const at = (name: string) => join(folder, name);

// pyarrow 26.0.1: ids is a column of list<int64>, holes has a null in row 1, deep is list<list<int64>>.
const LISTS = Buffer.from(
  'UEFSMRUAFVgVWCwVCBUAFQYVBhwAAAACAAAAAwoCAAAACAMCAAAAAAAAAAUAAAAAAAAAAgAAAAAAAAASAQAAAAAAABUAFVoVWiwVChUAFQYVBhwAAAACAAAAAxoDAAAAA78DAgAAAAAAAAAFAAAAAAAAAAIAAAAAAAAAEgEAAAAAAAAVABU4FTgsFQQVABUGFQYcAAAAAgAAAAQAAgAAAAQFAgAAAAAAAAADAAAAAAAAABUEGcw1ABgGc2NoZW1hFQYANQIYA2lkcxUCFQZMPAAAADUEGARsaXN0FQIAFQQlAhgHZWxlbWVudAA1AhgFaG9sZXMVAhUGTDwAAAA1BBgEbGlzdBUCABUEJQIYB2VsZW1lbnQANQIYBGRlZXAVAhUGTDwAAAA1BBgEbGlzdBUCADUCGAdlbGVtZW50FQIVBkw8AAAANQQYBGxpc3QVAgAVBCUCGAdlbGVtZW50ABYEGRwZPCYAHBUEGSUGABk4A2lkcwRsaXN0B2VsZW1lbnQVABYIFn4WfiYISRwVABUAFQIAPCkmBAQZRgAAAAgAAAAmABwVBBklBgAZOAVob2xlcwRsaXN0B2VsZW1lbnQVABYKFoABFoABJoYBSRwVABUAFQIAPCkmBAYZRgAAAggAAAAmABwVBBklBgAZWARkZWVwBGxpc3QHZWxlbWVudARsaXN0B2VsZW1lbnQVABYEFl4WXiaGAkkcFQAVABUCADwpNgQAABlmAAAAAAAEAAAAFtwCFgQmCBbcAgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGTwcAAAcAAAcAAAAuwEAAFBBUjE=',
  'base64',
);

async function list(name: string, bytes: string | Uint8Array, column?: string): Promise<unknown[]> {
  writeFileSync(at(name), bytes);
  const found: unknown[] = [];
  for await (const prompt of prompts(at(name), { column })) found.push(prompt);
  return found;
}

test('an ending says how a file has its prompts', async () => {
  for (const name of ['p.txt', 'p.TXT', 'p.text', 'p.md', 'p', 'p.', '.p'])
    expect(await list(name, '{"prompt":"Once"}\n# The\n'), name).toEqual(['{"prompt":"Once"}', '# The']);
  for (const name of ['p.jsonl', 'p.ndjson', 'p.NDJSON'])
    expect(await list(name, '{"prompt":"Once"}\n"Twice"\n'), name).toEqual(['Once', 'Twice']);
});

test.each(['.json', '.csv', '.tsv', '.arrow', '.feather', '.xlsx', '.gz', '.safetensors', '.jsonl~', '.yaml'])(
  'a file that ends in %s is refused, and what there is is named',
  ending => {
    expect(() => prompts(at(`x${ending}`))).toThrow(PromptError);
    expect(() => prompts(at(`x${ending}`))).toThrow(
      `x${ending} ends in '${ending}', and prompts are read of .txt, .md or no ending (a prompt a line, as it is), .jsonl or .ndjson (JSON a line) and .parquet. Write them as one of these.`,
    );
  },
);

test('a line of white space is told as that, and its way out is taken', async () => {
  await expect(list('s.txt', 'Once\n   \n')).rejects.toThrow(
    /s\.txt:2: The line has nothing but white space\. Take it out, or, if that is a prompt, give it as a JSON string in a \.jsonl\.$/,
  );
  await expect(list('s.txt', 'Once\r\n\r\n')).rejects.toThrow(/s\.txt:2: The line is empty/);
  await expect(list('s.jsonl', '"Once"\n \t\n')).rejects.toThrow(
    /s\.jsonl:2: The line has nothing but white space\. Take it out\.$/,
  );
  expect(await list('s.jsonl', '"   "\n')).toEqual(['   ']);
});

test('a line that is no prompt is told by what it has', async () => {
  const refusals: [string, string | undefined, RegExp][] = [
    ['{"prompt":null}', undefined, /: 'prompt' is a text or a list of ids, not null\.$/],
    ['{"prompt":null}', 'prompt', /: 'prompt' is a text or a list of ids, not null\.$/],
    ['{"a":[1,"x"]}', 'a', /: 'a' is a text or a list of ids, not \[1, 'x'\]\.$/],
    ['{}', undefined, /: The line has no key 'prompt'; it is empty\. Take it out/],
    [
      '{"text":"Once"}',
      undefined,
      /: The line has no key 'prompt'; there is text\. Say which has the prompts: { column }, --column in a terminal, or "column" in a plan of a sweep\.$/,
    ],
    ['{"text":"Once"}', 'txt', /: The line has no key 'txt'; there is text\. Say which/],
    ['{"prompt":"Once","id":1}', undefined, /: 'id' is no key of a line.*--column prompt in a terminal\.$/],
    ['null', undefined, /: A line is a JSON string, a list of ids or \{ "prompt": … \}, not null\.$/],
    ['"Once"', 'text', /: The line has no key 'text'\. Give an object with it, or leave the column out\.$/],
  ];
  for (const [line, column, message] of refusals)
    await expect(list('r.jsonl', `${line}\n`, column), line).rejects.toThrow(message);
  expect(await list('r.jsonl', '{"prompt":"Once","id":1}\n', 'prompt')).toEqual(['Once']);
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])));
  await expect(list('r.jsonl', many)).rejects.toThrow(/there are k0, .*, k19, … \(500 in all\)\. Say/);
});

test('numbers of a Parquet column are told as numbers', async () => {
  const parquet = (type: 'INT64' | 'JSON' | 'DOUBLE', ...data: unknown[]) =>
    Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'prompt', data, type }] }));
  const row0 = /\.parquet, row 0 \(from 0\): A prompt is a text or a list of ids, not /;
  await expect(list('n.parquet', parquet('INT64', 1n))).rejects.toThrow(new RegExp(`${row0.source}1\\.$`));
  await expect(list('n.parquet', parquet('DOUBLE', 1.5))).rejects.toThrow(new RegExp(`${row0.source}1\\.5\\.$`));
  await expect(list('n.parquet', parquet('JSON', [2, null, 274]))).rejects.toThrow(
    new RegExp(`${row0.source}\\[2, null, 274\\]\\.$`),
  );
});

test('lists of whole numbers of 64 bits are ids, and what is in them is told as numbers', async () => {
  expect(await list('l.parquet', LISTS, 'ids')).toEqual([
    [2, 5],
    [2, 274],
  ]);
  await expect(list('l.parquet', LISTS, 'holes')).rejects.toThrow(/row 1 \(from 0\): .*, not \[2, null, 274\]\.$/);
  await expect(list('l.parquet', LISTS, 'deep')).rejects.toThrow(/row 0 \(from 0\): .*, not \[\[2\]\]\.$/);
});

test('loupe compare --jsonl reads JSON a line, whatever the file is called', async () => {
  writeFileSync(at('j.txt'), '{"prompt":"The capital of France is"}\nno JSON\n');
  const { stderr, status } = await command(...['compare', '-m', 'atlas', 'atlas', '--jsonl', at('j.txt')]);
  expect([status, stderr]).toEqual([2, expect.stringMatching(/j\.txt:2: This is no JSON/)]);
});
