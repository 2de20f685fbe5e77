"""loupe chat in a real terminal (a pty): plays what its stdin says and prints what the terminal showed. See terminal.test.ts.

Arguments: the command. LOUPE_TERMINAL: its size. stdin: JSON, a list of [keys, what to wait for (a regular expression)]; the keys `WAIT n` are n seconds. Prints JSON: what came before each text, and the exit status.
"""
import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

steps = json.load(sys.stdin)
pid, fd = pty.fork()
if pid == 0:
    os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, "TERM": "xterm-256color"})
columns, rows = map(int, os.environ.get("LOUPE_TERMINAL", "100x30").split("x"))
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
unread = b""


def until(text, seconds=60):
    """What the terminal shows until `text` is in it. The end of the program counts as the empty text."""
    global unread
    end = time.time() + seconds
    wanted = re.compile(text.encode()) if text else None
    while time.time() < end:
        found = wanted and wanted.search(unread)
        if found:
            shown, unread = unread[: found.end()], unread[found.end() :]
            return shown.decode("utf-8", "replace")
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(fd, 65536)
        except OSError:  # the program has ended
            part = b""
        if not part:
            shown, unread = unread, b""
            return shown.decode("utf-8", "replace") + ("" if text == "" else f"<ended before {text!r}>")
        unread += part
    return unread.decode("utf-8", "replace") + f"<{text!r} did not come>"


shown = []
for keys, text in steps:
    if keys.startswith("WAIT "):
        time.sleep(float(keys[5:]))
        continue
    os.write(fd, keys.encode())
    shown.append(until(text))
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"shown": shown, "status": status}))
