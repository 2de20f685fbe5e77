// A thread that a cell began ends when the cell is stopped: nobody else would end it, and it may keep a core for itself.

import { setMaxListeners } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { current } from './output.js';

export function endWorkersWithCells(): void {
  const Own = threads.Worker;
  threads.Worker = class Worker extends Own {
    constructor(...given: ConstructorParameters<typeof Own>) {
      super(...given);
      const cell = current.getStore();
      if (!cell) return;
      const end = () => void this.terminate();
      setMaxListeners(0, cell.signal); // one each
      cell.signal.addEventListener('abort', end, { once: true });
      this.once('exit', () => cell.signal.removeEventListener('abort', end));
    }
  };
  syncBuiltinESMExports();
}
