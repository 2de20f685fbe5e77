// Before each file of tests that names anything of the lab: the lab whole, as whoever imports the package has it. Values then have their
// pictures, and sessions what the rooms above put onto them, from whichever file a test takes a class.

import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

const { testPath } = expect.getState();
if (testPath === undefined || /\/lab\//.test(readFileSync(testPath, 'utf8'))) await import('../lab/index.js');
