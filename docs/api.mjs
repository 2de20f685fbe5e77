// npm run api: docs/API.md and docs/API-ENGINE.md, made by TypeDoc from the comments of what `gemma-loupe` and `gemma-loupe/engine` export, in the order in
// which people come upon things. test/lab/api.test.ts holds that everything has a comment and a place here, and that the files are what this makes.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Application, Converter, LogLevel, ReflectionGroup, ReflectionKind, TSConfigReader } from 'typedoc';
import { MarkdownTheme, MarkdownThemeContext } from 'typedoc-plugin-markdown';

const root = fileURLToPath(new URL('..', import.meta.url));

const LAB = {
  'Open a model': 'open OpenOptions Session',
  'Read a prompt': 'RunOptions PatchSpec Prompt Run RunJson Logits TopTokens TopToken select Selector',
  'Look at an activation':
    'Activation Cuts Cut Axes AxisName Dim DimSpec Values Stats Ranked Ran Histogram Outliers Outlier fromArrow toArrow traceToIpc',
  'Look at a run':
    'AttentionView AttentionHeads AttentionByToken AttentionFigure AttentionLayer Norms Headroom HeadroomOptions HeadroomRow Surprisal Foreseen Beside Compared Lens LensOptions LensCell LensTable',
  'Many prompts': 'Runs RunsOptions Prompts prompts PromptFile PromptFileOptions DataSet dataset SweepData',
  'Find what carries an answer': 'PatchingOptions Patching HeadScoresOptions HeadScores HeadScore ScoredHead',
  'Compare with PyTorch':
    'golden Golden trace Trace TraceOptions NameSpec ArrayInfo DiffOptions DiffLimits Diff DiffRow Verdict Spread ErrorMap ErrorMapOptions ValuesAt Leftover compare CompareOptions Metrics Nearer Passing Accuracy Distance MeasuredOperation OneStage Edited PlanView Watch WatchOptions WatchEvent ChangedRow',
  'Let it write':
    'GenerateRunOptions Token BatchRunOptions BatchGeneration BatchToken Continuation ConversationOptions Conversation TurnOptions TurnStats ChatMessage PerplexityOptions Perplexity Apart Twice TwiceOptions TwiceRow compareModels CompareModelsOptions ModelComparison KlSpread PlaceApart LayerApart',
  'See where the time goes': 'RooflineOptions Roofline StepReached OperationReached Reached Ceilings',
  'Show, draw and share':
    'show Display report plot PlotOptions bar heatmap HeatmapOptions Numbers OwnPicture ask clearOutput Shown DISPLAY Bundle Figure',
  'The model itself':
    'GemmaConfig Plan Stage Ref Axis WeightRef PlanKind Activations CacheFormat KernelChoice Store Quantise',
  Errors:
    'LoupeError AdapterError DeviceError ShaderError ModelFileError ConfigError TokenizerError PromptError StageError NumberError BudgetError GoldenError TraceError PullError OptionError Interrupted',
};

const ENGINE = {
  'Open a model':
    'openModelFiles ModelFiles ChatFiles SamplingDefaults FolderFiles WeightSource WeightEntry Model LoadOptions LoadProgress',
  'Text and ids': 'openTokenizer openTokenizerFile Tokenizer EncodeOptions DecodeStream Ends',
  'Read and look':
    'Context ContextOptions ForwardOptions ForwardResult ReadAhead Tap Slice Captured Patch Top TopWanted Opened',
  'Let it write': 'generate GenerateOptions Sampling Generated',
  'Change a shader': 'Kernels Change Shaders',
  'The plan': 'planOf Plan Stage Ref Axis AxisName WeightRef PlanKind GemmaConfig Activations CacheFormat gemma',
  'The GPU': 'sharedGpu Gpu Traffic Traits Store KernelChoice ADAPTER_CHOICES cacheFolder',
  Errors: LAB.Errors,
};

/** What the lab gives of the engine has its place on the engine's page. */
const OF_ENGINE = ['Gpu', 'Model', 'Tokenizer', 'Shaders', 'ChatFiles'];
/** Constants of operations, and what is inside: named in types, and met by nobody who only calls. */
const INSIDE = ['Rope', 'LayerKind', 'Operation', 'RunSize'];

const LETTERS =
  'T tokens, S keys, H hidden, A heads, K key/value heads, D head size, F feed-forward, V vocabulary. An index is the position in the model, everywhere.';

/** What the kernel imports for every cell. */
function inScope() {
  const prelude = readFileSync(join(root, 'lab/kernel/evaluation.ts'), 'utf8');
  const [, names] = /import \{ (.*?) \} from 'gemma-loupe'/.exec(prelude);
  return names.replace(/\w+/g, '`$&`');
}

/** A page: what it is made of, in which order, and how it begins. */
export const PAGES = [
  {
    file: join(root, 'docs/API.md'),
    entry: join(root, 'lab/index.ts'),
    order: LAB,
    elsewhere: [...INSIDE, ...OF_ENGINE, 'Origin', 'ShaderUse', 'QUANTISED'],
    head: `# What there is

Everything that \`import … from 'gemma-loupe'\` gives. A cell has ${inScope()} without an import, and imports the errors, the types and what else it needs. Made by \`npm run api\` from the comments in the code, which Shift+Tab shows too. The engine alone,
for programs that need no lab, has a [page of its own](API-ENGINE.md). Shapes are in the letters of the design: ${LETTERS}
`,
  },
  {
    file: join(root, 'docs/API-ENGINE.md'),
    entry: join(root, 'engine/index.ts'),
    order: ENGINE,
    elsewhere: [...INSIDE, 'LoadedModel', 'Recorder'],
    head: `# What there is of the engine

Everything that \`import … from 'gemma-loupe/engine'\` gives: Gemma on WebGPU for programs that need no notebook, no pictures and no goldens; [the lab](API.md) has it all. Made by \`npm run api\` from
the comments in the code. Shapes are in the letters of the design: ${LETTERS}

\`\`\`ts
import { generate, Model, openModelFiles, openTokenizer, sharedGpu } from 'gemma-loupe/engine';

const files = await openModelFiles('golden/atlas'); // a folder, a .gguf or a .safetensors
using model = await Model.load(files, await sharedGpu());
const words = await openTokenizer(files.vocabulary!);
await files.close();

using context = model.context();
const prompt = words.encode('The capital of France is', { bos: true });
const taps = [{ stage: model.plan.stage('layers.5.resid') }];
const { token, captured } = await context.forward(prompt, { argmax: true, taps });
console.log(words.piece(token!), captured[0].shape); // the likeliest next piece, and [T,H]

context.rewind();
for await (const { id } of generate(context, prompt, { maxTokens: 8 })) process.stdout.write(words.decode([id]));
\`\`\`
`,
  },
];

const OPTIONS = {
  plugin: ['typedoc-plugin-markdown'],
  name: 'gemma-loupe',
  logLevel: 'Warn',
  readme: 'none',
  router: 'module',
  theme: 'brief',
  entryFileName: 'API',
  sort: [],
  skipErrorChecking: true, // npm run check does that
  disableSources: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  excludeExternals: true,
  validation: { notDocumented: true, notExported: true, invalidLink: true },
  hideBreadcrumbs: true,
  hidePageHeader: true,
  hidePageTitle: true,
  expandParameters: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  propertyMembersFormat: 'table',
  typeDeclarationFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  tableColumnSettings: {
    hideSources: true,
    hideInherited: true,
    hideOverrides: true,
    hideModifiers: true,
    hideDefaults: true,
    leftAlignHeaders: true,
  },
};

/** A signature with its types, what is said of it, and an example: what TypeDoc says twice is said once. */
class Brief extends MarkdownThemeContext {
  partials = {
    ...this.partials,
    hierarchy: () => '',
    inheritance: () => '',
    signature: model => {
      const { comment, parameters = [] } = model;
      const said = parts => this.helpers.getCommentParts(parts).trim();
      const described = parameters.filter(one => one.comment?.summary.length > 0);
      const tag = name => comment?.blockTags.filter(one => one.tag === name).map(one => said(one.content)) ?? [];
      return [
        this.partials.signatureTitle(model),
        comment && said(comment.summary),
        described.map(one => `- \`${one.name}\`: ${said(one.comment.summary)}`).join('\n'),
        ...tag('@returns').map(text => `Gives ${text}.`),
        ...tag('@example'),
      ]
        .filter(part => part)
        .join('\n\n');
    },
  };
}

class BriefTheme extends MarkdownTheme {
  getRenderContext(page) {
    return new Brief(this, page, this.application.options);
  }
}

/** Before TypeDoc sorts them into groups. */
function prepare(project) {
  // Objects are made by the lab; of its classes people make activations alone.
  for (const made of project.getReflectionsByKind(ReflectionKind.Constructor))
    if (made.parent.name !== 'Activation') project.removeReflection(made);
  for (const one of project.getReflectionsByKind(ReflectionKind.Class)) delete one.implementedTypes;
  // Who reads a property need not know that it is computed.
  for (const property of project.getReflectionsByKind(ReflectionKind.Accessor)) {
    const { type, comment } = property.getSignature;
    property.kind = ReflectionKind.Property;
    Object.assign(property, { type, comment, getSignature: undefined, setSignature: undefined });
  }
}

/** The text that a page should have, and what is wrong with the comments of what its entry exports, a sentence each. */
export async function api({ entry, order, elsewhere, head } = PAGES[0], tsconfig = join(root, 'tsconfig.json')) {
  const out = mkdtempSync(join(tmpdir(), 'loupe-api-'));
  try {
    const given = { ...OPTIONS, intentionallyNotExported: elsewhere, entryPoints: [entry], tsconfig, out };
    const app = await Application.bootstrapWithPlugins(given, [new TSConfigReader()]);
    const complaints = [];
    app.logger.log = (message, level) => level >= LogLevel.Warn && complaints.push(message);
    app.renderer.defineTheme('brief', BriefTheme);
    app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => prepare(project));
    const project = await app.convert();
    const left = new Map(project.children.map(one => [one.name, one]));
    project.groups = Object.entries(order).map(([title, names]) => {
      const group = new ReflectionGroup(title, project);
      for (const name of names.split(' ')) {
        if (left.has(name)) group.children.push(left.get(name));
        else complaints.push(`${name} has a place in docs/api.mjs and is not exported.`);
        left.delete(name);
      }
      return group;
    });
    complaints.push(...[...left.keys()].map(name => `${name} is exported and has no place in docs/api.mjs.`));
    app.validate(project);
    await app.generateOutputs(project);
    for (const one of project.getReflectionsByKind(ReflectionKind.Parameter))
      if (one.name === '__namedParameters')
        complaints.push(`${one.parent.getFullName()} takes parts of a parameter that has no name.`);
    return { text: tidied(readFileSync(join(out, 'API.md'), 'utf8'), Object.keys(order), head), complaints };
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** With a table of contents, with ways to the engine's page, and without the places within tables that nobody leads to. */
function tidied(text, titles, head) {
  const contents = titles.map(title => `[${title}](#${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')})`);
  const engine = head.includes('(API-ENGINE.md)') ? OF_ENGINE.join('|') : '(?!)';
  const body = text
    .replaceAll(/<a id="[^"]*"><\/a> /g, '')
    .replaceAll('***\n\n', '')
    .replaceAll(
      new RegExp(`(?<=\\| )\`(${engine})\``, 'g'),
      (_, name) => `[\`${name}\`](API-ENGINE.md#${name.toLowerCase()})`,
    );
  return `${head}\n${contents.join(' · ')}\n\n${body}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  for (const page of PAGES) {
    const { text, complaints } = await api(page);
    writeFileSync(page.file, text);
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
    if (complaints.length > 0) process.exitCode = 1;
  }
}
