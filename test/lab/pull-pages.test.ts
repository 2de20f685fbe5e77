// A list of files goes on where RFC 8288 says that it does, however that is written; and what is not understood is refused, not left out.

import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PullError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { hubName } from '../../lab/pull/name.js';
import { nextPage } from '../../lab/pull/next-page.js';
import { type Pulled, pull } from '../../lab/pull/pull.js';
import { freshFolder } from '../fixtures/folder.js';
import { type ListedFile, sha256, TestHub } from '../fixtures/hub.js';

const HERE = 'https://hub.example/api/models/a/b/tree/main?recursive=true';
const NEXT = 'https://hub.example/api/models/a/b/tree/main?cursor=2';

test.each([
  [`<${NEXT}>; rel="next"`],
  [`<${NEXT}>;rel=next`],
  [`<${NEXT}> ; rel = "next"`],
  [`<${NEXT}>; rel="NEXT"`],
  [`<${NEXT}>; REL=Next`],
  [`<${NEXT}>; rel="next last"`],
  [`<${NEXT}>; rel="last next"`],
  [`<${NEXT}>; foo="a,b;c>"; rel="next"`],
  [`<${NEXT}>; foo; rel="next";`],
  [`<https://x.example/1>; rel="prev", <${NEXT}>; rel="next"`],
  [`<${NEXT}>; rel="next",, <https://x.example/1>; rel=first`],
  [`<https://x.example/?a=1,2>; rel="first",<${NEXT}>; rel="n\\ext"`],
  ['</api/models/a/b/tree/main?cursor=2>; rel="next"'],
  ['<?cursor=2>; rel="next"'],
  ['<main?cursor=2>; rel="next"'],
  ['<//hub.example/api/models/a/b/tree/main?cursor=2>; rel="next"'],
])('the next page of %s', header => {
  expect(nextPage(header, HERE)).toBe(NEXT);
});

test.each([
  [null],
  [''],
  [`<${NEXT}>`],
  [`<${NEXT}>; rel="prev"`],
  [`<${NEXT}>; rel="nextish"`],
  [`<${NEXT}>; rel=first; rel=next`], // the first counts
  [`<${NEXT}>; rel="first"; title="next"`],
  ['nonsense'],
])('%s has no next page', header => {
  expect(nextPage(header, HERE)).toBe(null);
});

test.each([
  [`${NEXT}; rel="next"`],
  [`<${NEXT}; rel="next"`],
  [`<${NEXT}>; rel="next`],
  [`<${NEXT}> rel="next"`],
  ['<http://[bad>; rel="next"'],
  [`<${NEXT}>; rel=next, <${NEXT}3>; rel=next`],
])('%s is not understood, and said', header => {
  expect(() => nextPage(header, HERE)).toThrow(
    /^https:\/\/hub\.example says that its list of files goes on, and not where: '/,
  );
});

const atlas = join(packageRoot(), 'golden/atlas');
const read = (name: string): [string, Buffer] => [name, readFileSync(join(atlas, name))];
const whole = new Map(['config.json', 'tokenizer.model', 'model.safetensors'].map(read));

describe('a pull', () => {
  let hub: TestHub;
  let hubUrl: string;
  beforeEach(() => {
    for (const key of Object.keys(process.env)) if (/^(HF_|HUGGING)/.test(key)) delete process.env[key];
    process.env.HF_HOME = freshFolder();
  });
  afterEach(() => {
    hub?.[Symbol.dispose]();
    delete process.env.HF_HOME;
  });
  const get = async (
    files: ReadonlyMap<string, Buffer>,
    change: (hub: TestHub) => void = () => {},
  ): Promise<Pulled> => {
    hub = new TestHub({ repo: 'org/atlas', files });
    change(hub);
    hubUrl = await hub.listen();
    return await pull(hubName('org/atlas')!, { hubUrl, patience: 1 });
  };
  const fetched = () => hub.log.filter(line => line.includes('/resolve/')).map(line => line.split('/').at(-1));
  const entry = (path: string, size: number, hash = 'a'.repeat(40)): ListedFile => ({
    type: 'file',
    path,
    size,
    oid: hash,
  });

  test('of a list whose second page is said by a relative address', async () => {
    let pages = 0;
    const { files } = await get(whole, hub => {
      hub.next = page => (page === 1 ? `/api/models/org/atlas/tree/${hub.commit}?cursor=2` : null);
      hub.list = right => (++pages === 1 ? right.slice(0, 2) : right.slice(2));
    });
    expect([pages, files.map(({ path }) => path).sort()]).toEqual([2, [...whole.keys()].sort()]);
  });

  test('of an entry that is listed twice counts it once; with two contents it is refused', async () => {
    const { files } = await get(whole, hub => {
      hub.list = right => [right[0], ...right];
    });
    expect(files.map(({ path }) => path).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.model']);
    await expect(
      get(whole, hub => {
        hub.list = right => [...right, entry('config.json', 7)];
      }),
    ).rejects.toThrow(/ lists 'config\.json' twice, with two contents/);
  });

  test.each([
    [
      'shards without an index',
      ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
      /has its weights in parts and no model\.safetensors\.index\.json/,
    ],
    [
      'parts of a GGUF',
      ['m-00001-of-00003.gguf', 'm-00003-of-00003.gguf'],
      /lists 2 of the 3 parts of m, and not part 2\. Ask who published it/,
    ],
  ])('of a list that lacks %s fetches nothing', async (_, names, told) => {
    const files = new Map<string, Buffer>(names.map(name => [name, Buffer.from('x')]));
    if (names[0].endsWith('.safetensors')) files.set('config.json', whole.get('config.json')!);
    await expect(get(files)).rejects.toThrow(told);
    expect(fetched()).toEqual([]);
  });

  test.each([
    [
      JSON.stringify({ weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' } }),
      /names 'model-00002-of-00002\.safetensors', which the hub's list has not/,
    ],
    ['{', /model\.safetensors\.index\.json of org\/atlas cannot be read/],
    ['{}', /has no weight_map/],
    [JSON.stringify({ weight_map: { a: 7 } }), /names '7', which/],
  ])('of an index %s ends before the shards', async (index, told) => {
    const files = new Map([
      ['config.json', whole.get('config.json')!],
      ['model.safetensors.index.json', Buffer.from(index)],
      ['model-00001-of-00002.safetensors', Buffer.from('x')],
    ]);
    await expect(get(files)).rejects.toThrow(told);
    expect(fetched()).toEqual(['model.safetensors.index.json']);
  });

  test('of a pointer in the place of the weights', async () => {
    const pointer = Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 99\n`);
    await expect(get(new Map<string, Buffer>([...whole, ['model.safetensors', pointer]]))).rejects.toThrow(
      /^model\.safetensors of org\/atlas is a pointer of Git LFS and not the file itself/,
    );
  });

  /** A hub whose files are answered by hand. */
  async function byHand(answer: RequestListener): Promise<string> {
    const list = [...whole].map(([path, data]) => ({
      ...entry(path, data.length),
      lfs: { oid: sha256(data), size: data.length },
    }));
    const server = createServer((request, response) => {
      if (request.url!.includes('/tree/')) response.end(JSON.stringify(list));
      else if (request.url!.includes('/api/')) response.end(JSON.stringify({ id: 'org/atlas', sha: 'a'.repeat(40) }));
      else answer(request, response);
    });
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    try {
      const error = await pull(hubName('org/atlas')!, { hubUrl: url, patience: 1, idle: 400 }).then(
        () => expect.fail('it was fetched'),
        (error: Error) => error,
      );
      expect(error).toBeInstanceOf(PullError);
      return error.message;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('of a file that is not packed as it says ends with a sentence', async () => {
    const message = await byHand((request, response) => {
      const name = decodeURIComponent(request.url!).split('/').at(-1)!;
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(whole.get(name));
    });
    expect(message).toMatch(
      /incorrect header check.*(Asking again changes nothing|pull again to go on)|nothing came for/,
    );
  });

  test('of another range than was asked for keeps what is here, and says which came', async () => {
    let asked = 0;
    const message = await byHand((request, response) => {
      const name = decodeURIComponent(request.url!).split('/').at(-1)!;
      const data = whole.get(name)!;
      if (name !== 'model.safetensors') response.end(data);
      else if (++asked === 1) {
        response.writeHead(200, { 'content-length': data.length, connection: 'close' });
        response.write(data.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20));
      } else
        response
          .writeHead(206, {
            'content-range': `bytes 0-${data.length - 1}/${data.length}`,
            'content-length': data.length,
          })
          .end(data);
    });
    expect(message).toMatch(
      /was asked for model\.safetensors from byte 1000, and gives it from byte 0\. What is here stays/,
    );
  });

  test.each([
    [302, {}, /sends on to another address and gives none \(status 302\)\. Asking again changes nothing/],
    [302, { location: 'http://[bad' }, /Asking again changes nothing; check HF_ENDPOINT/],
    [304, {}, /status 304\)\. Asking again changes nothing/],
  ])('of a redirect that leads nowhere: %s %j', async (status, headers, told) => {
    let asked = 0;
    const message = await byHand((_, response) => {
      asked += 1;
      response.writeHead(status, headers).end();
    });
    expect(message).toMatch(told);
    expect(asked).toBe(1);
  });
});
