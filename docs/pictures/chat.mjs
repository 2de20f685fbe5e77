// node docs/pictures/chat.mjs: a chat with Gemma 3 270M in a real terminal, as a picture in this folder and as text in docs/CHAT.md.
// Needs the model (python3 golden/fetch_real.py), a build, and `npm test` to have run once.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromiumPackage from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const cache = process.env.LOUPE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'loupe');
const model = join(cache, 'models/gemma-3-270m-q4_k_m.gguf');
const [COLUMNS, ROWS] = [104, 40];
const PROMPT = '\\x1b\\[1;36m› \\x1b\\[22;39m';
const STEPS = [
  ['', PROMPT],
  ['What is the capital of France?\r', PROMPT],
  ['And of Japan?\r', PROMPT],
  ['/stats\r', PROMPT],
  ['/tap layers.1*.resid\r', PROMPT],
  ['What are the seven days of the week?\r', PROMPT],
  ['/save talk.json\r', PROMPT],
  ['\x04', ''],
];
// Dawn's warnings about software adapters would stand in the picture.
const command = `exec "${process.execPath}" dist/lab/cli/loupe.js chat --model "${model}" --temperature 0 --chat-template docs/questions.jinja --stop '\\n' 2>/dev/null`;
const { stdout, stderr } = spawnSync(
  join(root, '.loupe/venv/bin/python'),
  [join(root, 'test/lab/terminal.py'), 'bash', '-c', command],
  {
    input: JSON.stringify(STEPS),
    encoding: 'utf8',
    cwd: root,
    env: { ...process.env, LOUPE_TERMINAL: `${COLUMNS}x${ROWS}`, NO_COLOR: '' },
  },
);
if (stdout === '') throw new Error(stderr);
const bytes = JSON.parse(stdout).shown.join('');
if (/did not come|ended before/.test(bytes)) throw new Error(bytes);

const typed = "$ loupe chat -m gemma-3-270m-q4_k_m.gguf --temperature 0 --chat-template questions.jinja --stop '\\n'";
('$ loupe chat --model gemma-3-270m-q4_k_m.gguf --temperature 0 --chat-template questions.jinja --stop "\\n"');
const page = await (
  await chromium.launch({
    executablePath: await chromiumPackage.executablePath(),
    args: [...chromiumPackage.args, '--no-sandbox'],
  })
).newPage({ viewport: { width: 1200, height: 1200 }, deviceScaleFactor: 2 });
await page.setContent(
  '<style>body{margin:0;background:#fff}#frame{display:inline-block;padding:14px 16px;background:#16191d;border-radius:8px}</style><div id="frame"><div id="terminal"></div></div>',
);
await page.addStyleTag({ path: join(root, 'node_modules/@xterm/xterm/css/xterm.css') });
await page.addScriptTag({ path: join(root, 'node_modules/@xterm/xterm/lib/xterm.js') });
const text = await page.evaluate(
  async ({ bytes, columns, rows }) => {
    const terminal = new window.Terminal({
      cols: columns,
      rows,
      fontSize: 13,
      fontFamily: 'DejaVu Sans Mono, monospace',
      theme: { background: '#16191d', foreground: '#d5dae0', cursor: '#16191d' },
      scrollback: 1000,
    });
    terminal.open(document.getElementById('terminal'));
    await new Promise(done => terminal.write(bytes, done));
    const buffer = terminal.buffer.active;
    const lines = [];
    for (let i = 0; i < buffer.length; i++) lines.push(buffer.getLine(i).translateToString(true));
    const text = lines.join('\n').replace(/\s+$/, '');
    terminal.resize(columns, text.split('\n').length);
    terminal.scrollToTop();
    return text;
  },
  { bytes: `${typed}\r\n${bytes}`, columns: COLUMNS, rows: ROWS },
);
await page.waitForTimeout(500);
await page.locator('#frame').screenshot({ path: join(here, 'chat.png') });
const doc = join(root, 'docs/CHAT.md');
const [before, , after] = readFileSync(doc, 'utf8').split(/(<!-- session -->\n[\s\S]*?<!-- end -->)/);
writeFileSync(doc, `${before}<!-- session -->\n\`\`\`\n${text}\n\`\`\`\n<!-- end -->${after}`);
process.exit(0);
