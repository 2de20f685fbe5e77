// `loupe chat` as a person has it: in a real terminal, and piped.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';
import { python } from '../notebook/jupyter.js';

const loupe = join(packageRoot(), 'dist/lab/cli/loupe.js');
const folder = freshFolder();
const CHAT = [loupe, 'chat', '--temperature', '0', '--max-tokens', '12'];
const PROMPT = '\\x1b\\[1;36m› \\x1b\\[22;39m'; // a regular expression of Python's
const env = { ...process.env, XDG_CACHE_HOME: folder, LOUPE_CACHE: folder, NO_COLOR: '' };

/** Plays keys in a terminal; each step waits for its text. */
function play(args: string[], steps: [keys: string, until: string][], program = process.execPath) {
  const { stdout, stderr } = spawnSync(python, [join(packageRoot(), 'test/lab/terminal.py'), program, ...args], {
    input: JSON.stringify(steps),
    encoding: 'utf8',
    cwd: folder,
    env,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { shown: string[]; status: number };
}

test('answers, commands, several lines, pasted text, Ctrl-C and Ctrl-D', () => {
  const { shown, status } = play(CHAT, [
    ['', PROMPT],
    ['The capital of France is\r', PROMPT],
    ['/stats\r', PROMPT],
    ['/tap layers.*.resid\r', PROMPT],
    ['Once\r', PROMPT],
    ['/tap off\r', PROMPT],
    ['/set max_tokens 900\r', PROMPT],
    ['Tell me much\r', 'Tell me much\\r+\\n[^\\r\\n]'], // the answer begins
    ['\x03', '\\(stopped\\)'],
    ['', PROMPT],
    ['half a line', 'half a line'],
    ['\x03', PROMPT],
    ['/set max_tokens 4\r', PROMPT],
    ['"""\rone\rtwo\r"""\r', PROMPT],
    ['\x1b[200~pasted one\npasted two\x1b[201~\r', PROMPT],
    ['/save talk.json\r', PROMPT],
    ['/nonsense\r', 'There is no /nonsense'],
    ['', PROMPT],
    ['\x1b[A\x1b[A', '/save talk.json'], // history
    ['\x03', PROMPT],
    ['\x04', ''],
  ]);
  const text = shown.join('\n§\n');
  expect(shown[0]).toMatch(/atlas on [^\r]*\r\n1024 tokens of context; \/help tells more/);
  // A busy machine says meanwhile what it waits for.
  expect(shown[1].replaceAll('\r\x1b[K', '').replaceAll(/Reading … \d+ s/g, '')).toMatch(
    /The capital of France is\r+\n[^\r]+/,
  );
  expect(shown[2]).toMatch(/tok\/s, first token after \d+ ms/);
  expect(shown[4]).toMatch(/layers\.5\.resid {2}\S+36m[▁▂▃▄▅▆▇█]{12}/);
  expect(text).not.toMatch(/did not come|ended before/);
  const file = spawnSync(process.execPath, ['-p', 'fs.readFileSync("talk.json", "utf8")'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const asked = JSON.parse(file.stdout).messages.filter(({ role }: { role: string }) => role === 'user');
  expect(asked.map(({ content }: { content: string }) => content)).toEqual([
    'The capital of France is',
    'Once',
    'Tell me much',
    'one\ntwo',
    'pasted one\npasted two',
  ]);
  expect(status).toBe(0);
}, 120_000);

test('Ctrl-C twice on an empty line leaves', () => {
  const { shown, status } = play(CHAT, [
    ['', PROMPT],
    ['\x03', 'Ctrl-C again'],
    ['', PROMPT],
    ['\x03', ''],
  ]);
  expect(shown.join('')).not.toMatch(/did not come/);
  expect(status).toBe(0);
}, 60_000);

test('Ctrl-Z and fg: the conversation goes on, with what was typed', () => {
  const { shown, status } = play(
    ['--norc', '--noprofile', '-i'],
    [
      ['', '# |\\$ '],
      [`'${[process.execPath, ...CHAT].join("' '")}'\r`, PROMPT],
      ['The capital of France is\r', PROMPT],
      ['\x1a', 'Stopped'],
      ['fg\r', PROMPT],
      ['WAIT 0.5', ''],
      ['/sta', '/sta'],
      ['\x1a', 'Stopped'],
      ['WAIT 0.5', ''],
      ['fg\r', '/sta'],
      ['ts\r', 'tokens'],
      ['', PROMPT],
      ['\x04', '# |\\$ '],
      ['echo "left $?"\r', 'left 0'],
      ['exit\r', ''],
    ],
    'bash',
  );
  expect(shown.join('')).not.toMatch(/did not come|ended before|without an answer/);
  expect(status).toBe(0);
});

test('the context is said to be nearly full before it is, and then full', () => {
  const { shown } = play(
    [...CHAT, '--context', '60'],
    [
      ['', PROMPT],
      ['Once upon a time\r', PROMPT],
      ['/set max_tokens 0\r', PROMPT],
      ['Go\r', PROMPT],
      ['More\r', PROMPT],
      ['/reset\r', PROMPT],
      ['\x04', ''],
    ],
  );
  expect(shown[1]).toMatch(/\(\d+ of 60 tokens left: \/reset begins anew/);
  expect(shown[3] + shown[4]).toMatch(/context is full|context holds 60/);
  expect(shown[5]).toMatch(/A new conversation/);
}, 60_000);

test('piped: one message in, the answer alone out', () => {
  const run = (input: string, ...args: string[]) =>
    spawnSync(process.execPath, [...CHAT, ...args], { input, encoding: 'utf8', cwd: folder, env });
  const piped = run('The capital of France is\n');
  expect(piped.status).toBe(0);
  expect(piped.stdout).toMatch(/^[^›[]+\n$/); // neither a prompt nor colours
  const named = run('', 'The', 'capital', 'of', 'France', 'is');
  expect(named.stdout).toBe(piped.stdout);
  expect(
    named.stderr.match(/^loupe: 'atlas' has no chat template, so it was most likely never taught to chat/gm),
  ).toHaveLength(1);
  const json = JSON.parse(run('The capital of France is', '--json').stdout);
  expect(json.messages).toEqual([
    { role: 'user', content: 'The capital of France is' },
    { role: 'assistant', content: expect.stringMatching(/\S/) },
  ]);
  expect(json.messages[1].content.trimStart()).toBe(piped.stdout.slice(0, -1));
  expect(json.stats).toMatchObject({ reused: 0, made: 12 });
  const empty = run('');
  expect([empty.status, empty.stderr]).toEqual([
    2,
    expect.stringMatching(/There is no message. Give one, or pipe it in/),
  ]);
  const missing = run('hi', '--load', 'nothing.json');
  expect([missing.status, missing.stderr]).toEqual([2, expect.stringMatching(/nothing.json cannot be read/)]);
}, 120_000);
