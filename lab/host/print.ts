// What the commands and the lab print. Names come from files and may hold anything: lines for people and JSON never steer a terminal. The text of a
// model is the exception: on a terminal it is made printable like the rest, and a pipe gets it as it is, byte by byte.

import { printable, printableJson } from '../../engine/printable.js';

/** A line for people. */
export function print(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(value, 1)}\n`);
}

/** A part of what a model said, or a tokenizer decoded. */
export function printText(text: string): void {
  process.stdout.write(process.stdout.isTTY ? printable(text) : text);
}
