// Opening a tokenizer from wherever a vocabulary lies: which reader a file gets, and that it is closed again.

import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ModelFileError, TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { openTokenizer, openTokenizerFile } from '../../engine/tokenizer/open.js';
import { freshFolder } from '../fixtures/folder.js';
