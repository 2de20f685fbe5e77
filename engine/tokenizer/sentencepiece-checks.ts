// What SentencePiece itself refuses to load, although every part of it can be read: sentencepiece was asked of each.

import type { PieceKind } from './vocabulary.js';

const BYTE = /^<0x[0-9A-F]{2}>$/;

/** What is wrong with a model's pieces, a clause; null where sentencepiece takes them. */
export function faultOf(pieces: readonly string[], kinds: readonly PieceKind[], byteFallback: boolean): string | null {
  const known = new Set<string>();
  let unknown = 0;
  let bytes = 0;
  for (let id = 0; id < pieces.length; id++) {
    const piece = pieces[id];
    const named = `piece ${id}, ${JSON.stringify(piece.slice(0, 40))},`;
    if (piece === '') return `piece ${id} is empty`;
    if (piece.includes('\0')) return `${named} has a zero character in it`;
    if (known.has(piece)) return `${named} is there twice`;
    known.add(piece);
    if (kinds[id] === 'unknown') unknown += 1;
    if (kinds[id] === 'byte') {
      bytes += 1;
      if (!BYTE.test(piece)) return `${named} is no byte, and says so`;
      if (!byteFallback) return `${named} is a byte, and the model does not fall back on bytes`;
    }
  }
  if (unknown !== 1) return `it has ${unknown} unknown pieces, and one is needed`;
  if (byteFallback && bytes !== 256) return `it falls back on bytes, and has ${bytes} of 256`;
  return null;
}
