// Sentences within the width of a terminal. Names and paths are not cut: one that is wider than the line has a line of its own.

/** What every terminal has, and no line needs more. */
const TERMINAL = 80;

/** Columns of the terminal that is written to, at most 80; where it is none, 80. */
export const terminal = (): number => Math.min(TERMINAL, process.stdout.columns || TERMINAL);

/** Broken at blanks, lines after the first behind `indent`. Lines that are there stay. */
export function folded(text: string, indent = '', width = terminal()): string {
  return text
    .split('\n')
    .map(line => {
      if ([...line].length <= width) return line;
      const lines: string[] = [];
      let at = '';
      for (const word of line.split(/(?<=\S) /)) {
        const longer = at === '' ? word : `${at} ${word}`;
        if (at.trim() !== '' && [...longer].length > width) {
          lines.push(at);
          at = indent + word;
        } else at = longer;
      }
      return [...lines, at].join('\n');
    })
    .join('\n');
}
