// Files that a person keeps: whole or not at all, and refused before the work when they cannot be.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { report } from '../../lab/display/report.js';
import { checkTarget, writeWhole } from '../../lab/values/write-file.js';
import { freshFolder } from '../fixtures/folder.js';

const cli = join(packageRoot(), 'dist/lab/cli/loupe.js');
let folder: string;
beforeEach(() => {
  folder = freshFolder();
});
const parts = () => readdirSync(folder).filter(name => name.endsWith('.part'));

test('what was there is replaced whole, and keeps its permissions; nothing else stays', () => {
  const path = join(folder, 'a.json');
  writeWhole(path, ['one ', Buffer.from('two'), '']);
  expect(readFileSync(path, 'utf8')).toBe('one two');
  chmodSync(path, 0o640);
  writeWhole(path, ['three']);
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['three', 0o640]);
  expect(readdirSync(folder)).toEqual(['a.json']);
});

test('an error in the midst leaves what was there', () => {
  const path = join(folder, 'a.json');
  writeFileSync(path, 'before');
  const failing = function* () {
    yield 'after';
    throw new Error('out of ideas');
  };
  expect(() => writeWhole(path, failing())).toThrow(/out of ideas/);
  expect(readFileSync(path, 'utf8')).toBe('before');
  expect(readdirSync(folder)).toEqual(['a.json']);
});

test('a link stays one, and the file behind it is replaced; one that leads nowhere yet makes the file', () => {
  mkdirSync(join(folder, 'real'));
  const file = join(folder, 'real', 'a.json');
  writeFileSync(file, 'before');
  symlinkSync('real', join(folder, 'folder'));
  symlinkSync('folder/a.json', join(folder, 'link'));
  symlinkSync('link', join(folder, 'second'));
  writeWhole(join(folder, 'second'), ['after']);
  expect(readFileSync(file, 'utf8')).toBe('after');
  expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  symlinkSync('real/new.json', join(folder, 'dangling'));
  writeWhole(join(folder, 'dangling'), ['new']);
  expect(readFileSync(join(folder, 'real/new.json'), 'utf8')).toBe('new');
  symlinkSync('round', join(folder, 'round'));
  expect(() => writeWhole(join(folder, 'round'), ['x'])).toThrow(/a link that leads in a circle/);
});

const mistakes: [string, (folder: string) => unknown, RegExp][] = [
  [
    'a missing folder',
    f => join(f, 'no/a.json'),
    /a\.json cannot be written: there is no folder .*no\. What was there/,
  ],
  ['a folder', f => f, /cannot be written: it is a folder/],
  ['a folder by its ending', f => join(f, 'x/'), /cannot be written: it is a folder/],
  ['a file in the place of the folder', () => join(packageRoot(), 'LICENSE', 'a'), /is no folder/],
  ['an empty path', () => '', /needs a path, not ""/],
  ['no path', () => undefined, /needs a path, not undefined/],
  ['a number', () => 7, /needs a path, not 7/],
  ['a path with a zero byte', f => join(f, 'a\0b'), /needs a path, not "/],
];
test.each(mistakes)('%s: refused before anything is written', (_, path, message) => {
  const given = path(folder) as string;
  for (const write of [() => checkTarget(given), () => writeWhole(given, ['x']), () => report(given, 'x')]) {
    expect(write).toThrow(OptionError);
    expect(write).toThrow(message);
  }
  expect(parts()).toEqual([]);
});

test('a device and a FIFO are written to, and stay what they are', async () => {
  writeWhole('/dev/null', ['x']);
  expect(() => writeWhole('/dev/full', ['x'])).toThrow(/\/dev\/full cannot be written: the disk is full \(ENOSPC\)/);
  expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = spawn('cat', [fifo]);
  let got = '';
  reader.stdout.on('data', text => (got += text));
  writeWhole(fifo, ['through ', 'the pipe']);
  await new Promise(done => reader.on('close', done));
  expect(got).toBe('through the pipe');
  expect(statSync(fifo).isFIFO()).toBe(true);
});

test('/dev/stdout is the command’s own output, be it a pipe or a file', () => {
  const code = `import { writeWhole } from ${JSON.stringify(join(packageRoot(), 'dist/lab/values/write-file.js'))};
    process.stdout.write('before ');
    writeWhole('/dev/stdout', ['x'.repeat(300000)]);
    process.stdout.write(' after');`;
  const piped = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect([piped.stdout.length, piped.stdout.slice(0, 9), piped.stdout.slice(-7)]).toEqual([
    300013,
    'before xx',
    'x after',
  ]);
  const file = join(folder, 'out');
  spawnSync('sh', ['-c', '"$0" --input-type=module -e "$1" > "$2"', process.execPath, code, file]);
  expect(readFileSync(file, 'utf8')).toBe(piped.stdout);
});

test('a disk that takes no more leaves what was there', () => {
  const out = join(folder, 'run.arrow');
  writeFileSync(out, 'of before');
  const code = `import { writeWhole } from ${JSON.stringify(join(packageRoot(), 'dist/lab/values/write-file.js'))};
    try { writeWhole(${JSON.stringify(out)}, ['x'.repeat(60000), 'x'.repeat(300000)]) } catch (error) { console.log(error.message) }`;
  const { stdout } = spawnSync(
    'bash',
    ['-c', 'ulimit -f 100; "$0" --input-type=module -e "$1"', process.execPath, code],
    { encoding: 'utf8' },
  );
  expect(stdout).toMatch(
    /run\.arrow cannot be written: it would be larger than files may be here \(EFBIG\)\. What was there is untouched/,
  );
  expect(readFileSync(out, 'utf8')).toBe('of before');
  expect(readdirSync(folder)).toEqual(['run.arrow']);
});

test('a process that is killed while it writes leaves what was there', async () => {
  const path = join(folder, 'a.txt');
  writeFileSync(path, 'before');
  const code = `import { writeWhole } from ${JSON.stringify(join(packageRoot(), 'dist/lab/values/write-file.js'))};
    function* endless() { process.stdout.write('.'); for (;;) yield 'after '.repeat(1000); }
    writeWhole(${JSON.stringify(path)}, endless());`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
  await new Promise(done => child.stdout.once('data', done));
  while (parts().every(name => statSync(join(folder, name)).size === 0)) await new Promise(done => setTimeout(done, 5));
  child.kill('SIGKILL');
  await new Promise(done => child.on('close', done));
  expect(readFileSync(path, 'utf8')).toBe('before');
});

test('trace says that a file cannot be written before it opens the model', () => {
  const began = (...args: string[]) =>
    spawnSync(process.execPath, [cli, 'trace', '-m', '/no/model', '-p', 'x', ...args], { encoding: 'utf8' });
  expect(began('-o', join(folder, 'no/run.arrow')).stderr).toMatch(/there is no folder/);
  mkdirSync(join(folder, 'run.arrow'));
  expect(began('-o', join(folder, 'run.arrow')).stderr).toMatch(/it is a folder/);
  expect(began('-o', join(folder, 'run2.arrow')).stderr).toMatch(/There is no model/);
  expect(existsSync(join(folder, 'run2.arrow'))).toBe(false);
});

test.runIf(process.getuid?.() === 0)('what may not be written: a file, a folder', () => {
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'theirs'), 'before', { mode: 0o644 });
  const code = `import { checkTarget } from ${JSON.stringify(join(packageRoot(), 'dist/lab/values/write-file.js'))};
    for (const name of ['theirs', 'new']) try { checkTarget(${JSON.stringify(folder)} + '/' + name) } catch (error) { console.log(error.message) }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    uid: 65534,
    gid: 65534,
  });
  expect(stdout).toMatch(
    /theirs cannot be written: you may not write it\.[^\n]*\n.*new cannot be written: you may not write into /,
  );
});
