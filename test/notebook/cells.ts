// Cells in a folder, one after the other, without Jupyter: what the kernel does with them, in this process.

import { stripVTControlCharacters } from 'node:util';
import { CellCompiler } from '../../lab/kernel/compile.js';
import { failureOf } from '../../lab/kernel/failure.js';
import { Modules } from '../../lab/kernel/modules.js';
import { CellRunner } from '../../lab/kernel/scope.js';

export interface Cells {
  readonly compiler: CellCompiler;
  readonly runner: CellRunner;
  /** The value of a cell; throws an Error with the traceback, without colours, where it fails. */
  run(source: string): Promise<unknown>;
}

export function cellsIn(folder: string): Cells {
  const compiler = new CellCompiler(folder);
  const runner = new CellRunner(compiler, new Modules(folder, file => compiler.remember(file)));
  let count = 0;
  return {
    compiler,
    runner,
    async run(source) {
      compiler.begin(`cell-${++count}`);
      let thrown: unknown;
      try {
        const ran = await runner.run(source);
        if (ran) return ran.value;
      } catch (error) {
        thrown = error;
      }
      throw new Error(stripVTControlCharacters(failureOf(thrown, compiler).traceback.join('\n')));
    },
  };
}
