// What a display method returned, made into what can be sent: text as text, bytes in base64, figures as JSON, nothing larger than a page
// can show. What cannot be sent is left out and told, so that an object's mistake is a sentence and not a cell that never ends.

import type { Bundle } from '../values/shown.js';
import { bytesText } from '../values/numbers.js';
import { attempt, briefly, cut } from '../values/plain.js';

/** Characters that one value, one display, and everything that a cell prints may have. */
export const MOST_SHOWN = 2_000_000;
/** Levels of a figure. Python's JSON, which every front end of Jupyter reads with, ends at a thousand. */
const DEEPEST = 200;

/** Forms by their mime type. */
export type Forms = Record<string, unknown>;

/** @returns null where there is nothing to show; `notes` then says why */
export function formsOf(returned: unknown, notes: string[]): Forms | null {
  if (typeof returned !== 'object' || returned === null || Array.isArray(returned)) {
    notes.push(
      `The display of a value returned ${kindOf(returned)}, where a bundle such as { 'text/html': '<b>…</b>' } is needed.`,
    );
    return null;
  }
  const forms: Forms = {};
  try {
    for (const mime of Object.keys(returned)) {
      const value = (returned as Forms)[mime];
      if (value === undefined || value === null) continue; // it has no such form
      if (!/^[\w.+-]+\/[\w.+-]+/.test(mime))
        notes.push(`'${cut(mime, 80).text}' of a value's display is no mime type.`);
      else {
        try {
          forms[mime] = formOf(mime, value);
        } catch (error) {
          notes.push(
            `A value's '${mime}' cannot be shown: ${error instanceof Unfit ? error.message : briefly(error)}.`,
          );
        }
      }
    }
  } catch (error) {
    notes.push(`The display of a value cannot be read: ${briefly(error)}.`);
  }
  if (Object.keys(forms).length > 0) return forms;
  if (notes.length === 0) notes.push('The display of a value returned a bundle without any form.');
  return null;
}

class Unfit extends Error {}

const isJson = (mime: string) => /^application\/(.*\+)?json(;|$)/.test(mime);
const isText = (mime: string) => /^text\/|\+xml(;|$)|^application\/(javascript|xml)(;|$)/.test(mime);

/** Pictures, sounds and the like, which are sent as base64; not those that are text. */
const isBytes = (mime: string) => /^(image|audio|video)\/|^application\/pdf(;|$)/.test(mime) && !isText(mime);
function isBase64(text: string): boolean {
  const characters = text.replaceAll(/\s/g, '');
  return characters.length > 0 && characters.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(characters);
}

const isPlotly = (mime: string) => mime.startsWith('application/vnd.plotly.v1+json');
const isObject = (value: unknown): value is Forms =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As it is sent. Throws Unfit for what a front end would answer with an error of its own, or with nothing. */
function formOf(mime: string, value: unknown): unknown {
  const form = asSent(mime, value);
  if (mime.includes('+json') && typeof value !== 'object' && (typeof form !== 'object' || form === null))
    throw new Unfit('it is no JSON of an object');
  if (isPlotly(mime) && isObject(form) && !(Array.isArray(form.data) && isObject(form.layout ?? {})))
    throw new Unfit('a figure has a list called data, and an object called layout');
  if (mime.startsWith('image/svg+xml') && !/<svg[\s/>]/i.test(String(form))) throw new Unfit('there is no <svg> in it');
  return form;
}

const isNumbers = (value: unknown): value is Float32Array =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) && (value as Float32Array).BYTES_PER_ELEMENT !== 1;

function asSent(mime: string, value: unknown): unknown {
  const bytes = isJson(mime) && isNumbers(value) ? null : bytesOf(value);
  if (bytes) return bytes.toString(isText(mime) || isJson(mime) ? 'utf8' : 'base64');
  if (typeof value === 'string') {
    // A figure as JSON text shows as nothing at all.
    const parsed = mime.includes('+json') ? attempt(() => JSON.parse(value) as unknown) : undefined;
    if (typeof parsed === 'object' && parsed !== null) return parsed;
    if (isBytes(mime) && !isBase64(value))
      throw new Unfit('it is text that is no base64; give its bytes, or their base64');
    return value;
  }
  if (isJson(mime)) return jsonOf(value);
  if (Array.isArray(value) && value.every(line => typeof line === 'string')) return value.join(''); // as notebooks store text
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Unfit(`it is ${kindOf(value)}, where ${isText(mime) ? 'text is' : 'bytes or base64 are'} needed`);
}

function bytesOf(value: unknown): Buffer | null {
  if (isNumbers(value)) throw new Unfit(`it is a ${value.constructor.name}, and bytes are a Uint8Array`);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return Buffer.from(value as ArrayBuffer);
  return null;
}

/** Plain data, so that nothing of the object's own runs when it is sent. Functions and symbols are refused: JSON drops them in silence. */
function jsonOf(value: unknown): unknown {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'function' || typeof part === 'symbol') throw new Unfit(`it holds ${kindOf(part)}`);
    return ArrayBuffer.isView(part) && !(part instanceof DataView) ? Array.from(part as Float32Array) : part;
  }) as string | undefined;
  if (text === undefined) throw new Unfit(`it is ${kindOf(value)}`);
  if (text.length > 8 * MOST_SHOWN) return text; // left out for its size; it need not be parsed
  if (depthOf(Buffer.from(text)) > DEEPEST) throw new Unfit(`it is nested more than ${DEEPEST} deep`);
  return JSON.parse(text);
}

/** How deep brackets go in JSON, which need not be valid. */
export function depthOf(json: Uint8Array): number {
  let [depth, deepest, quoted] = [0, 0, false];
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (quoted) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}

/** The smaller forms, as many as fit; text is cut, anything else is shown whole or not. */
export function within(forms: Forms, notes: string[]): Bundle {
  const sizes = Object.entries(forms).map(([mime, value]) => {
    const size = typeof value === 'string' ? value.length : JSON.stringify(value).length;
    return { mime, value, size };
  });
  let room = MOST_SHOWN;
  const out: Forms = {};
  for (const { mime, value, size } of sizes.sort((a, b) => a.size - b.size)) {
    if (size <= room) {
      out[mime] = value;
      room -= size;
    } else if (mime === 'text/plain') {
      const { text, left } = cut(String(value), room);
      out[mime] = text;
      room = 0;
      notes.push(`The rest of a value, ${bytesText(left)}, was left out: ${TOO_MUCH}`);
    } else notes.push(`A value's '${mime}', ${bytesText(size)}, was left out: ${TOO_MUCH}`);
  }
  // As the object had them: a front end that knows several takes the first.
  return Object.fromEntries(
    Object.keys(forms).flatMap(mime => (mime in out ? [[mime, out[mime]]] : [])),
  ) as unknown as Bundle;
}

export const TOO_MUCH = 'a page cannot show so much. Write it to a file instead.';

/** Characters that go over the wire for a bundle. */
export function sizeOf(data: Readonly<Forms>): number {
  return Object.values(data).reduce<number>(
    (sum, value) => sum + (typeof value === 'string' ? value.length : (JSON.stringify(value)?.length ?? 0)),
    0,
  );
}
