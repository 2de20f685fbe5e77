// How weights lie on the GPU, whatever their format: in tiles of 16 rows. Eight lanes read a tile, each the rows l and l + 8, and they read it from end to
// end: turn after turn of 128 columns, in a turn texel after texel, of a texel (16 bytes) one for each lane. A format says what its texels hold.
// What is past the last row or column is zero.

export const LANES = 8;
/** Rows of a tile. */
export const TILE = 2 * LANES;
/** Columns of a turn. */
export const TURN = 128;
/** Words of a texel, and from a lane's texel to its next. */
export const WORDS = 4;
export const STEP = WORDS * LANES;

/** Which of a lane's two rows: its own, or the one eight below. */
export type Half = 0 | 1;

/** Columns of one row, as they are stored, on their way into a lane's texels. */
export interface Turn {
  /** The stored row. */
  readonly bytes: Uint8Array;
  readonly row: number;
  /** First column, a multiple of 128, and how many there are, 128 at most. */
  readonly from: number;
  readonly columns: number;
  readonly half: Half;
  /** Words of the tile, zero before, and where the lane's first texel of the turn begins; its texel t, word w is at `to + STEP · t + w`. */
  readonly out: Uint32Array;
  readonly to: number;
}

export interface Format {
  /** Which of shaders/formats reads it. */
  readonly shader: string;
  /** Texels that a lane has in a turn. */
  readonly texels: number;
  /** Values in a stored block, and its bytes. */
  readonly values: number;
  readonly bytes: number;
  put(turn: Turn): void;
}

/** Texels of a tile whose rows have so many columns. */
export const texelsOfTile = ({ texels }: Format, columns: number): number => Math.ceil(columns / TURN) * texels * LANES;

/** Rows as they are stored. */
export interface Rows {
  readonly format: Format;
  /** Whole rows, one after the other. */
  readonly bytes: Uint8Array;
}

/**
 * Rows as they are stored → tiles.
 * @param stride words from a tile to the next, from 4 × texelsOfTile
 */
export function tilesOf({ format, bytes }: Rows, columns: number, stride: number): Uint32Array<ArrayBuffer> {
  const rows = rowsOf(format, bytes, columns);
  const out = new Uint32Array(Math.ceil(rows / TILE) * stride);
  for (let row = 0; row < rows; row++) {
    const inTile = row % TILE;
    const lane = Math.floor(row / TILE) * stride + (inTile % LANES) * WORDS;
    putRow(format, { bytes, columns, row, half: inTile < LANES ? 0 : 1, out, to: lane });
  }
  return out;
}

/** As `tilesOf`, of two weights in turn, eight rows of either: a lane has the same row of both. */
export function tilesInTurn(pair: readonly Rows[], columns: number, stride: number): Uint32Array<ArrayBuffer> {
  const rows = rowsOf(pair[0].format, pair[0].bytes, columns);
  const out = new Uint32Array((rows / LANES) * stride);
  for (const [half, { format, bytes }] of pair.entries()) {
    for (let row = 0; row < rows; row++) {
      const lane = Math.floor(row / LANES) * stride + (row % LANES) * WORDS;
      putRow(format, { bytes, columns, row, half: half as Half, out, to: lane });
    }
  }
  return out;
}

const rowBytes = ({ values, bytes }: Format, columns: number): number => (columns / values) * bytes;
const rowsOf = (format: Format, bytes: Uint8Array, columns: number): number => bytes.length / rowBytes(format, columns);

/** A row into its lane's words, which begin at `to`. */
function putRow(format: Format, { bytes, columns, row, half, out, to }: Omit<Turn, 'from'>): void {
  const at = row * rowBytes(format, columns);
  for (let from = 0; from < columns; from += TURN, to += STEP * format.texels) {
    format.put({ bytes, row: at, from, columns: Math.min(TURN, columns - from), half, out, to });
  }
}
