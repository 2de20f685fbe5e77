import { existsSync, readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** What measures time or presses Stop while something runs: alone on the machine. */
const ALONE = [
  'test/notebook/{background,odd-messages,rough,watch,what-stays}.test.ts',
  'test/engine/{wait,watchdog}.test.ts',
  'test/lab/{ctrl-c,generation,roofline,terminal}.test.ts',
  'test/slow/**/*.test.ts',
];
/**
 * What needs a process of its own: it changes its environment, loses the device, counts all that there is, or asks what a fresh process has. All others share two,
 * in which the lab is read and the shaders of the atlas are compiled once, and not for each file: a file begins in half a second and not in three.
 */
const APART = [
  'test/{browser,fuzz}/*.test.ts',
  'test/engine/{accuracy,bounds,cache,endless-templates,faults,hearing,make-folder,open-tokenizer,running,safetensors-bounds,store,watchdog-names,widths}.test.ts',
  'test/lab/{allocations,api,bench,broken-files,cli,derived,edit,eighty-columns,error-map,files-in-use,gguf-template,not-finite,not-utf8}.test.ts',
  'test/lab/{odd-surroundings,pull,pull-pages,pull-short,pull-trust,pull-waits,sessions,some-stages,sweep-bucket,unevenness,unfinished,watch,write-file}.test.ts',
  'test/notebook/{at-hand,imports,kernel,late-stop,node-types,notebooks,odd-cells,predecessor,showing,stop-early,wire}.test.ts',
];

/** What takes more than some fifteen seconds on two cores, PyTorch's own numbers aside, by folder: npm run test:all runs it, and npm test leaves it out. */
const DEAR = {
  browser: ['pictures', 'tour'],
  golden: ['atlas-broken'],
  engine: [
    'attend',
    'batch',
    'endless-templates',
    'faults',
    'formats',
    'rewind',
    'rope',
    'store',
    'top',
    'watchdog',
    'watchdog-names',
    'widths',
  ],
  fuzz: ['fuzz'],
  lab: [
    ...[
      'allocations',
      'api',
      'bench',
      'cli',
      'compare',
      'ctrl-c',
      'edit',
      'edit-format',
      'edit-notes',
      'eighty-columns',
      'f16-cache',
      'fast-plan',
      'given-products',
    ],
    ...['generate-batch', 'gguf-template', 'head-scores', 'model-comparison', 'not-finite', 'not-utf8', 'oracle'],
    ...[
      'other-weights',
      'patches-of-parts',
      'perplexity',
      'planted-faults',
      'probe',
      'reuse',
      'roofline',
      'runs',
      'saved-arrow',
      'score',
      'slices',
      'terminal',
    ],
    ...['error-map', 'generation', 'odd-surroundings', 'pull', 'sessions', 'unevenness', 'unfinished'],
    ...[
      'derived',
      'few-dumps',
      'large-numbers',
      'rounding-engines',
      'rounding-or-fault',
      'some-stages',
      'sweep',
      'sweep-bucket',
      'sweep-processes',
      'sweep-rows',
      'two-traces',
      'watch',
    ],
  ],
  notebook: [
    'at-hand',
    'background',
    'imports',
    'notebooks',
    'odd-cells',
    'odd-messages',
    'rough',
    'showing',
    'watch',
    'what-stays',
  ],
};
const dear = Object.entries(DEAR).flatMap(([folder, names]) => names.map(name => `test/${folder}/${name}.test.ts`));
const gone = dear.filter(file => !existsSync(new URL(file, import.meta.url)));
if (gone.length > 0)
  throw new Error(`vitest.config.ts names ${gone.join(', ')}, which is not there. Take it out of DEAR.`);
const others = () =>
  (readdirSync(new URL('test', import.meta.url), { recursive: true }) as string[])
    .map(name => `test/${name.replaceAll('\\', '/')}`)
    .filter(file => file.endsWith('.test.ts') && !dear.includes(file));

// Two files at a time: a software adapter compiles shaders on one core. What is alone comes last. The slow tests need the real model; .ci/run calls them
// by name.
const slow = process.env.LOUPE_SLOW ? [] : ['test/slow/**'];
// npm test says which it wants; vitest alone takes every file.
const part = process.env.LOUPE_TESTS ?? 'all';
// Names of files without their ending, such as lab/edit: what .ci/run has elsewhere.
const elsewhere = (process.env.LOUPE_LEAVE_OUT ?? '').split(' ').filter(Boolean);
const left = [
  ...slow,
  ...elsewhere.map(name => `test/${name}.test.ts`),
  ...(part === 'quick' ? dear : part === 'rest' ? others() : []),
];
export default defineConfig({
  test: {
    pool: 'forks',
    setupFiles: ['test/pictures.ts'],
    testTimeout: 300_000, // for what hangs: a software adapter may take a minute to compile what a GPU would run
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: { name: 'alone', include: ALONE, exclude: left, maxWorkers: 1, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'two',
          include: APART,
          exclude: [...ALONE, ...left],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...APART, ...left],
          setupFiles: ['test/left-open.ts'],
          isolate: false,
          maxWorkers: 2,
          unstubEnvs: true,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
