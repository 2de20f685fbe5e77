// docs/API.md and docs/API-ENGINE.md: everything that the package exports has a comment and a place there, and the files are what `npm run api` makes.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';

interface Page {
  readonly file: string;
  readonly entry: string;
}
interface Api {
  api(page?: Page, tsconfig?: string): Promise<{ text: string; complaints: string[] }>;
  readonly PAGES: readonly [lab: Page, engine: Page];
}
const root = packageRoot();
const { api, PAGES } = (await import(pathToFileURL(join(root, 'docs/api.mjs')).href)) as Api;

test.each(PAGES.map(page => [basename(page.file), page] as const))(
  'every export, property and method has a comment and a place, and %s has them all',
  async (name, page) => {
    const { text, complaints } = await api(page);
    expect(complaints).toEqual([]);
    expect(readFileSync(page.file, 'utf8') === text, `docs/${name} is old: npm run api`).toBe(true);
  },
  120_000,
);

test('what has none is named: an export, a property, a method, a parameter, a type that is not exported', async () => {
  const page = { ...PAGES[0], entry: join(root, 'test/fixtures/undocumented.ts') };
  const { complaints } = await api(page, join(root, 'test/tsconfig.json'));
  const told = (words: string) => complaints.filter(one => one.includes(words)).length;
  expect(told('Bare (Class)')).toBe(1);
  expect(told('Bare.property (Property)')).toBe(1);
  expect(told('Bare.method (CallSignature)')).toBe(1);
  expect(told('parted takes parts of a parameter that has no name')).toBe(1);
  expect(told('Hidden, defined in')).toBe(1);
  expect(told('said is exported and has no place')).toBe(1);
  expect(told('open has a place in docs/api.mjs and is not exported')).toBe(1);
  expect(told('inside')).toBe(0);
  expect(told('said (Variable)')).toBe(0);
}, 120_000);

test('a way from one page to the other, or within one, ends at a title', () => {
  const titles = new Map(
    PAGES.map(({ file }) => {
      const found = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        title
          .toLowerCase()
          .replaceAll(/[^a-z0-9 _-]/g, '')
          .replaceAll(' ', '-'),
      );
      return [basename(file), new Set(found)] as const;
    }),
  );
  for (const { file } of PAGES) {
    const ways = [...readFileSync(file, 'utf8').matchAll(/\]\(([\w-]+\.md)?#([\w-]+)\)/g)];
    expect(ways.length).toBeGreaterThan(50);
    const lost = ways.filter(([, to = basename(file), at]) => !titles.get(to)?.has(at.replace(/-\d+$/, '')));
    expect(lost.map(([way]) => way)).toEqual([]);
  }
});

test('the program on the engine\u2019s page has no type error, and says Paris', () => {
  const folder = join(root, '.loupe/api-example'); // within the package, where its own name is known
  mkdirSync(folder, { recursive: true });
  try {
    const [, program] = /```ts\n(import .*?)```/s.exec(readFileSync(PAGES[1].file, 'utf8'))!;
    const file = join(folder, 'example.mts');
    writeFileSync(file, program);
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ compilerOptions: config.compilerOptions }, ts.sys, root);
    const compiled = ts.createProgram([file], { ...options, rootDir: folder, outDir: folder, declaration: false });
    const errors = ts.getPreEmitDiagnostics(compiled).map(({ messageText }) => messageText);
    expect(errors).toEqual([]);
    compiled.emit();
    const said = execFileSync(process.execPath, [join(folder, 'example.mjs')], { cwd: root, encoding: 'utf8' });
    expect(said).toMatch(/^▁P \[ 7, 128 \]\n Paris\b/);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
