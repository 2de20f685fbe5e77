"""Cells that take away what the kernel runs on; writes a JSON list to the file named: [cell, status, what was said, the next cell's status, value, what was said]. See foundations.test.ts."""
import json
import sys

from session import Session, write

NEXT = "[...new Map([[1, await Promise.resolve(2)]])].concat([[process.pid > 0 ? 3 : 0, 4]]).join()"
CELLS = json.loads(sys.argv[2])

with Session() as kernel:
    out = []
    for cell in CELLS:
        status, _, said = kernel.told(cell)
        out.append([cell, status, said, *kernel.told(NEXT)])
    write(out)
