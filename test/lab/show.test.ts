// show({ mime: value }) shows these forms; whatever else is given, and wherever else such an object stands, it is data.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { report } from '../../lab/index.js';
import { clearOutput, type DisplayMessage, type Notebook, setNotebook } from '../../lab/host/notebook.js';
import { present, show } from '../../lab/host/show.js';
import { freshFolder } from '../fixtures/folder.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const sent: { data: Record<string, unknown>; update: boolean }[] = [];
let said = '';
beforeEach(() => {
  sent.length = 0;
  said = '';
  const display = ({ data }: DisplayMessage, update: boolean) =>
    sent.push({ data: data as unknown as Record<string, unknown>, update });
  setNotebook({ display } as unknown as Notebook);
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    said += text;
    return true;
  });
});
afterEach(() => {
  setNotebook(undefined as never);
  vi.restoreAllMocks();
});

test('HTML, Markdown, figures and the bytes of a picture are shown as what they are, with a text for consoles', () => {
  show({ 'text/html': '<b>bold</b>' });
  show({ 'text/markdown': '**bold**', 'text/plain': 'bold' });
  show({ 'image/png': new Uint8Array([137, 80, 78, 71]) });
  show({ 'application/vnd.plotly.v1+json': { data: [], layout: {} } });
  show(Object.assign(Object.create(null), { 'text/html; charset=utf-8': '<i>i</i>' }));
  expect(sent.map(({ data }) => data)).toEqual([
    { 'text/html': '<b>bold</b>', 'text/plain': "{ 'text/html': '<b>bold</b>' }" },
    { 'text/markdown': '**bold**', 'text/plain': 'bold' },
    { 'image/png': 'iVBORw==', 'text/plain': expect.stringContaining('image/png') },
    { 'application/vnd.plotly.v1+json': { data: [], layout: {} }, 'text/plain': expect.any(String) },
    { 'text/html; charset=utf-8': '<i>i</i>', 'text/plain': expect.any(String) },
  ]);
  const place = show({ 'text/html': '<p>1</p>' });
  place.update({ 'text/html': '<p>2</p>' });
  expect(sent.at(-1)).toMatchObject({ data: { 'text/html': '<p>2</p>' }, update: true });
  expect(said).toBe('');
});

test('text that is no base64 is no picture, which is said, in a terminal too; a picture that is text is one', () => {
  show({ 'image/png': 'not base64' });
  show({ 'audio/wav': 'UklGRg=' });
  expect(said.match(/it is text that is no base64; give its bytes, or their base64/g)).toHaveLength(2);
  expect(sent.map(({ data }) => Object.keys(data))).toEqual([['text/plain'], ['text/plain']]);
  said = '';
  show({ 'image/png': 'iVBO\nRw==\n' }, { 'image/svg+xml': '<svg/>' });
  expect(sent.slice(2).map(({ data }) => Object.keys(data).length)).toEqual([2, 2]);
  setNotebook(undefined as never);
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  show({ 'image/png': 'not base64' });
  expect(said).toMatch(/'image\/png' cannot be shown: it is text that is no base64/);
});

test('what cannot be a form is said, and the others are shown', () => {
  show({ 'text/html': '<b>x</b>', 'image/png': { not: 'bytes' } });
  expect(sent[0].data).toMatchObject({ 'text/html': '<b>x</b>' });
  expect(said).toContain("A value's 'image/png' cannot be shown: it is an object");
});

class Own {
  'text/html' = '<b>x</b>';
}
const markup = '<b onclick="alert(1)">x</b>';
test.each([
  ['text', markup],
  ['a list', [{ 'text/html': markup }]],
  ['an object with another key', { 'text/html': markup, name: 'x' }],
  ['an object with a symbol', { 'text/html': markup, [Symbol('s')]: 1 }],
  ['an object in another', { forms: { 'text/html': markup } }],
  ['an object of a class', new Own()],
  ['a map', new Map([['text/html', markup]])],
  ['a path', { 'src/index.ts': markup }],
  ['an empty object', {}],
  [
    'a proxy that throws',
    new Proxy(
      { 'text/html': markup },
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    ),
  ],
])('%s is data, and shown as text', (_, value) => {
  show(value);
  expect(Object.keys(sent[0].data)).toEqual(['text/plain']);
});

test('as a cell’s last value and in a report it is data too', () => {
  expect(present({ 'text/html': markup })).toMatchObject({ data: { 'text/plain': expect.any(String) }, notes: [] });
  expect(Object.keys((present({ 'text/html': markup }) as { data: object }).data)).toEqual(['text/plain']);
  const path = join(freshFolder(), 'r.html');
  report(path, { 'text/html': markup });
  expect(readFileSync(path, 'utf8')).not.toContain('<b onclick');
});

test('a cell is emptied now or with its next output, and by nothing else that is given', () => {
  const cleared: boolean[] = [];
  setNotebook({ clear: (wait: boolean) => cleared.push(wait) } as unknown as Notebook);
  clearOutput();
  clearOutput(true);
  for (const wait of [null, 'yes', 1, {}, Symbol('x')])
    expect(() => clearOutput(wait as never)).toThrow(/^clearOutput\(\) takes true, to wait .*, or false, not /);
  expect(cleared).toEqual([false, true]);
});
