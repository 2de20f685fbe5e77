// Completion inside quotes: the names of stages, shaders, goldens and models, in the calls that take them.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { cacheFolder } from '../../engine/cache.js';
import { packageRoot } from '../../engine/files.js';
import { type Plan, shapeText } from '../../engine/plan.js';
import { parse } from './stoppable.js';

export interface Name {
  readonly text: string;
  readonly kind: string;
  /** E.g. the shape of a stage. */
  readonly signature: string;
}

export interface Quoted {
  /** The text between the quotes begins here. */
  readonly start: number;
  readonly end: number;
  readonly names: readonly Name[];
}

type Variables = Readonly<Record<string, unknown>>;

/** The names that fit at a position within quotes, or null where it is not within quotes that take a name. */
export function namesAt(source: string, position: number, variables: Variables): Quoted | null {
  const literal = literalAt(parse('cell.ts', source), position);
  if (!literal) return null;
  const names = namesFor(literal, variables);
  if (!names) return null;
  const start = literal.getStart() + 1;
  const closed = source[literal.end - 1] === source[literal.getStart()] && literal.end > start;
  return { start, end: closed ? literal.end - 1 : literal.end, names };
}

function literalAt(file: ts.SourceFile, position: number): ts.StringLiteralLike | null {
  let found: ts.StringLiteralLike | null = null;
  const visit = (node: ts.Node): void => {
    if (node.getStart() >= position || node.end < position) return;
    if (ts.isStringLiteralLike(node)) found = node;
    else ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function namesFor(literal: ts.StringLiteralLike, variables: Variables): Name[] | null {
  let node: ts.Node = literal.parent;
  if (ts.isArrayLiteralExpression(node)) node = node.parent;
  if (ts.isPropertyAssignment(node) && ['tap', 'stage', 'stages'].includes(node.name.getText())) {
    const stages = stagesOf(variables, null);
    return [...globsOf(stages), ...stages];
  }
  if (!ts.isCallExpression(node)) return null;
  const callee = node.expression;
  const owner = ts.isPropertyAccessExpression(callee) ? callee.expression.getText() : null;
  const name = ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText();
  switch (name) {
    case 'at':
    case 'attention':
    case 'lens':
    case 'norms':
    case 'read':
    case 'select':
    case 'stage':
      return stagesOf(variables, owner);
    case 'edit':
    case 'shader':
      return filesIn(join(packageRoot(), 'shaders'), '.wgsl', 'shader');
    case 'golden':
      return filesIn(join(packageRoot(), 'golden', 'atlas'), '.safetensors', 'golden')
        .filter(({ text }) => text !== 'model')
        .map(found => ({ ...found, text: `atlas/${found.text}` }));
    case 'open': {
      const models = join(cacheFolder(), 'models');
      return [
        { text: 'atlas', kind: 'model', signature: 'embedded' },
        ...filesIn(models, '.gguf', 'model').map(found => ({ ...found, text: join(models, `${found.text}.gguf`) })),
      ];
    }
    default:
      return null;
  }
}

/** Of the run, golden or model called `owner`; else of any model that is open. */
function stagesOf(variables: Variables, owner: string | null): Name[] {
  const own = owner && Object.hasOwn(variables, owner) ? variables[owner] : undefined;
  const plan = planOf(own) ?? planOf(Object.values(variables).findLast(value => planOf(value)));
  const { activations, stages: read } = (own ?? {}) as { activations?: unknown; stages?: unknown };
  const there = [activations, read].find(part => part instanceof Map);
  const stages = plan?.stages.filter(({ state }) => !state) ?? [];
  return stages
    .filter(({ name }) => !(there instanceof Map) || there.has(name))
    .map(({ name, axes }) => ({ text: name, kind: 'stage', signature: shapeText(axes) }));
}

function planOf(value: unknown): Plan | null {
  if (typeof value !== 'object' || value === null) return null;
  const { plan, session } = value as { plan?: Plan; session?: { plan?: Plan } };
  const found = plan ?? session?.plan;
  return Array.isArray(found?.stages) ? found : null;
}

/** One glob for the same stage of all layers. */
function globsOf(stages: readonly Name[]): Name[] {
  const globs = new Map<string, Name>();
  for (const { text, signature } of stages) {
    const glob = text.replace(/^layers\.\d+\./, 'layers.*.');
    if (glob !== text) globs.set(glob, { text: glob, kind: 'stages', signature });
  }
  return [...globs.values()];
}

function filesIn(folder: string, suffix: string, kind: string): Name[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => name.endsWith(suffix))
    .map(name => ({ text: name.slice(0, -suffix.length), kind, signature: '' }));
}
