// What people type first in a notebook, out of habit: IPython's magics, a shell's commands, Python. A cell that does not compile is looked at for it, so that
// the error says how the same is done here, and not what a TypeScript compiler makes of it.

/** A cell's line in another language, and what is said of it. */
export interface Tongue {
  /** From 0. */
  readonly line: number;
  readonly sentence: string;
}

const HERE = 'cells here are TypeScript';
const shell = (command: string) =>
  `A shell's command, and ${HERE}: (await import('node:child_process')).execSync(${JSON.stringify(command)}, { encoding: 'utf8' }) runs it, and so does a terminal (File → New → Terminal).`;
const python = (instead: string) => `Python, and ${HERE}${instead}.`;
const PACKAGES = `Packages are installed with npm, in the notebook's folder: npm install NAME in a terminal (File → New → Terminal).`;

const MAGICS: readonly (readonly [RegExp, string])[] = [
  [/^%?(pip|conda|mamba|uv)$/, PACKAGES],
  [/^%?(time|timeit|prun)$/, "console.time('a') and console.timeEnd('a') around something measure it."],
  [/^%?(matplotlib|pylab)$/, 'plot(x, y), bar(…) and heatmap(…) draw, without being told to.'],
  [/^%?(bash|sh|script|system|sx|cmd)$/, 'A shell runs in a terminal (File → New → Terminal).'],
];

/** By the line, without the space around it. */
const TONGUES: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [
    /^%(%?\w+)/,
    ([, name]) => {
      const instead = MAGICS.find(([of]) => of.test(name))?.[1];
      return `A magic of IPython, and ${HERE}.${instead ? ` ${instead}` : ''}`;
    },
  ],
  [/^!{1,2}\s*((?:[a-z][\w-]*|\.{0,2}\/)(?:\s.*|[\w./-]*))$/, ([, command]) => shell(command)],
  [/^((?:pip3?|conda|npm|npx) install) /, () => `A shell's command, and ${HERE}. ${PACKAGES}`],
  [/^((?:ls|pwd|nvidia-smi)|(?:ls|cd|cat|git|python3?|node|loupe) [-\w./~].*)$/, ([, command]) => shell(command)],
  [
    /^(?:\?{1,2}\s*([\w.]+)|([\w.]+)\?{1,2})$/,
    ([, before, behind]) =>
      `A question of IPython, and ${HERE}: with the cursor on ${before ?? behind}, Shift+Tab says what it is, and Tab behind its dot what it has.`,
  ],
  [/^#/, () => python(': a comment begins with //')],
  [/^print\s*\(/, () => python(': console.log(…) prints, and the last value of a cell is shown by itself')],
  [
    /^(?:import [\w.]+(?: as \w+)?(?:\s*,\s*[\w.]+(?: as \w+)?)*|from [\w.]+ import .+)$/,
    () => python(": import { open } from 'gemma-loupe' is an import"),
  ],
  [/^(?:async )?def \w+\s*\(/, () => python(': function name(a: number) { … } is a function')],
  [
    /^(?:for \w+(?:, *\w+)* in .+|while .+|if .+|elif .+|else|try|except.*|with .+|class \w+.*):$/,
    () => python(': what is within stands between { and }'),
  ],
];

/**
 * @param lines of the cell
 * @param at the line of the first mistake that was found; what a cell begins with is looked at too
 * @param code of the mistake, `TS1109`
 */
export function otherTongue(lines: readonly string[], at: number, code: string, message: string): Tongue | null {
  const unknown = /^Cannot find name '(.*?)'/.exec(message)?.[1];
  // A line that can be parsed is TypeScript, unless it begins with a name that there is none of.
  const begins = /^[!?\s]*([\w$]+)/.exec(lines[at] ?? '')?.[1];
  const unread = /^TS1\d{3}$/.test(code) || (unknown !== undefined && unknown === begins);
  const subtracts = /^TS236[23]$/.test(code) && /^\s*!/.test(lines[at] ?? ''); // !ls -la
  if (!unread && !subtracts) return null;
  const first = lines.findIndex(line => line.trim() !== '');
  const magic = first >= 0 && lines[first].startsWith('%%');
  for (const line of new Set(magic ? [first, at] : [at])) {
    const text = lines[line]?.trim() ?? '';
    for (const [pattern, sentence] of TONGUES) {
      const found = pattern.exec(text);
      if (found) return { line, sentence: sentence(found) };
    }
  }
  return null;
}
