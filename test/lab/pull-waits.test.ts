// A hub that asks to wait is waited for as long as it asks, within a bound, and that is said; what no waiting mends is not asked for again.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PullError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { hubName } from '../../lab/pull/name.js';
import { pull } from '../../lab/pull/pull.js';
import { retryAfter } from '../../lab/pull/waiting.js';
import { freshFolder } from '../fixtures/folder.js';
import { TestHub } from '../fixtures/hub.js';

const files = new Map(
  ['config.json', 'tokenizer.model', 'model.safetensors'].map(name => [
    name,
    readFileSync(join(packageRoot(), 'golden/atlas', name)),
  ]),
);
let hub: TestHub;
let hubUrl: string;
let waits: [number, string][];
beforeEach(async () => {
  for (const key of Object.keys(process.env)) if (/^(HF_|HUGGING)/.test(key)) delete process.env[key];
  process.env.HF_HOME = freshFolder();
  hub = new TestHub({ repo: 'org/atlas', files });
  hubUrl = await hub.listen();
  waits = [];
});
afterEach(() => {
  hub[Symbol.dispose]();
  delete process.env.HF_HOME;
});
const get = () => pull(hubName('org/atlas')!, { hubUrl, patience: 1, onWait: (ms, why) => void waits.push([ms, why]) });
const requests = () => hub.log.filter(line => line.includes('/resolve/')).length;

test('Retry-After: seconds or a date, or nothing', () => {
  const read = (text: string | null) =>
    retryAfter(new Headers(text === null ? {} : { 'retry-after': text }), Date.parse('2026-01-01T00:00:00Z'));
  expect(['0', ' 7 ', 'Thu, 01 Jan 2026 00:00:09 GMT', 'Wed, 31 Dec 2025 23:59:59 GMT'].map(read)).toEqual([
    0, 7000, 9000, 0,
  ]);
  expect([null, '', 'soon', '-1', '1.5s'].map(read)).toEqual([null, null, null, null, null]);
});

test('a file, and the list, that are given a second later', async () => {
  hub.retryAfter = '1';
  hub.refusals = 1;
  hub.statuses = [429];
  expect((await get()).files).toHaveLength(3);
  expect(waits).toEqual([
    [1000, 'status 429'],
    [1000, 'it takes no more requests for now (status 429)'],
  ]);
});

test('who asks for longer than a minute is told of', async () => {
  hub.retryAfter = '61';
  hub.statuses = [503];
  await expect(get()).rejects.toThrow(
    new PullError(`${hubUrl} asks to wait 61 s before config.json is fetched. What is here stays; pull again then.`),
  );
  hub.refusals = 1;
  await expect(get()).rejects.toThrow(PullError);
  expect([waits, requests()]).toEqual([[], 1]);
});

test('the list is asked for four times and no more', async () => {
  hub.retryAfter = '0';
  hub.refusals = 9;
  await expect(get()).rejects.toThrow(/429/);
  expect(hub.refusals).toBe(5);
});

test.each([
  ['itself', (url: string) => `${url}`, /redirect count exceeded/],
  ['a file', () => 'file:///etc/passwd', /URL scheme must be a HTTP\(S\) scheme/],
])('a redirect to %s is not asked for again', async (_, elsewhere, why) => {
  hub.elsewhere = elsewhere;
  const failed = await get().catch((error: Error) => error);
  expect(failed).toBeInstanceOf(PullError);
  expect((failed as Error).message).toMatch(why);
  expect((failed as Error).message).toMatch(
    /^config\.json cannot be fetched from .* Asking again changes nothing; check HF_ENDPOINT\.$/,
  );
  expect(new Set(hub.log.filter(line => line.includes('/resolve/'))).size).toBe(1);
  expect(requests()).toBeLessThan(25); // of one fetch
});
