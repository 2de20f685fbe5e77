// What lies between a value and the nearest ones that another program dumped before it: one stage, where it dumped all that the stage reads, else as many as it takes.

import type { Plan, Ref, Stage } from '../../engine/plan.js';

/** The stages that make a value out of given ones. */
export interface Span {
  /** In the plan's order, caches among them; the last makes the value. */
  readonly stages: readonly Stage[];
  /** The values it begins with. */
  readonly feeds: readonly Stage[];
  /** Names of what it begins with; `ids` for the token ids. */
  readonly from: readonly string[];
}

/** Stages that look at other tokens' rows. */
const ACROSS = new Set(['scores', 'softmax', 'mix']);

/**
 * @param given whether a value is there: for all tokens, or, where nothing between looks at other tokens, for those that are compared
 */
export function spanTo(plan: Plan, stage: Stage, given: (name: string, sameTokens: boolean) => boolean): Span {
  const between = new Set<Stage>([stage]);
  const feeds = new Set<Stage>();
  let ids = false;
  const seen = new Set<string>();
  const before = (of: Stage, sameTokens: boolean): void => {
    const same = sameTokens && !ACROSS.has(of.operation.kind) && !of.state;
    for (const input of of.inputs) {
      const source = sourceOf(plan, input);
      if (!source) ids = true;
      else if (!seen.has(`${source.name} ${same}`)) {
        seen.add(`${source.name} ${same}`);
        if (!source.state && given(source.name, same)) feeds.add(source);
        else {
          between.add(source);
          before(source, same);
        }
      }
    }
  };
  before(stage, true);
  const starts = [...feeds].filter(feed => !between.has(feed));
  const inPlan = (some: Iterable<Stage>) => plan.stages.filter(one => [...some].includes(one));
  const from = [...(ids ? ['ids'] : []), ...inPlan(starts).map(({ name }) => name)];
  return { stages: inPlan(between), feeds: inPlan(starts), from };
}

const sourceOf = (plan: Plan, { name }: Ref): Stage | undefined => plan.stages.find(stage => stage.name === name);

/** Its stages but the last, caches aside: what a dump of would narrow it down. */
export const inside = ({ stages }: Span): string[] =>
  stages.slice(0, -1).flatMap(({ name, state }) => (state ? [] : [name]));
