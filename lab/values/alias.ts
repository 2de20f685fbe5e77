// A name that another tool has for a value, and what it is here.

/** What a stage does last: a value before it can be compared once that is done to it. */
export type Before = 'gain' | 'scale' | 'softcap';

export interface Alias {
  readonly name: string;
  /** The stage it stands for, or null for one that is refused. */
  readonly stage: string | null;
  /** Why it is refused, and what there is instead. */
  readonly refusal: string;
  /** Of one that is refused: the stage that it becomes, and by what. */
  readonly made?: { readonly stage: string; readonly before: Before };
  /** Other stages whose values some versions or dumps have under this name. */
  readonly or?: readonly string[];
}
