// npm run build: TypeScript to dist/, when the sources have changed.

import { begin, build, checkNode, installPackages } from './steps.mjs';

begin(async () => {
  checkNode();
  await installPackages();
  await build();
});
