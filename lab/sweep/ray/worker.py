"""A worker: an actor that holds one process of `loupe sweep PLAN --worker`, whose model stays open from one shard to the next."""
import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
from collections import deque

import ray

# Seconds that a process has to end when it is asked to.
GRACE = 20
# Seconds that it has at its deadline.
LAST = 5


class Unfit(Exception):
    """This worker can do nothing at all: one sentence."""


def ends_with_parent():
    """An actor that is killed takes its process along, which would go on with a shard that another worker is given; and `loupe sweep --ray` its driver. Linux alone."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        pass  # then a process ends behind its shard, as its input has ended, and a driver when it has done all


def late_sentence(deadline):
    return f"Its worker did not answer within {deadline:g} s, and was ended. Give it a longer --deadline, or look why it hangs."


def _end(process, late):
    """At the deadline: asked first, so that it takes away what it was writing."""
    late.set()
    process.terminate()
    try:
        process.wait(LAST)
    except subprocess.TimeoutExpired:
        process.kill()


class Process:
    """The process, started when there is something for it to do."""

    def __init__(self, command, plan, adapter, deadline):
        self._deadline = deadline
        self._argv = [*command, "sweep", plan, "--worker", *(["--adapter", adapter] if adapter else [])]
        self._process = None
        self._said = deque(maxlen=20)
        self._answered = False

    def _start(self):
        try:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, preexec_fn=ends_with_parent
            )
        except OSError as error:
            raise Unfit(f"{self._argv[0]} cannot be started ({error.strerror})") from None
        self._said.clear()
        threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True).start()

    def _listen(self, stderr):
        for line in stderr:
            if line.strip():
                self._said.append(line.strip())

    def do(self, shard):
        if self._process is None:
            self._start()
        late = threading.Event()
        timer = threading.Timer(self._deadline, _end, (self._process, late)) if self._deadline else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            self._process.stdin.write(json.dumps({"shard": shard}) + "\n")
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            if timer:
                timer.cancel()
        if line.strip():
            self._answered = True
            answer = json.loads(line)
            if answer.get("forAll") and not answer["retry"]:
                raise Unfit(answer["error"])  # its disk is full, or it may not write: others may have room and rights
            return answer
        code = self._process.wait()
        self._process = None
        if late.is_set():
            return {"shard": shard, "error": late_sentence(self._deadline), "retry": True}
        last = self._said[-1].removeprefix("loupe: ") if self._said else ""
        if code == 2 and not self._answered:
            raise Unfit(last or "it ended with exit code 2")
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return {"shard": shard, "error": f"The process of its worker ended {how}{f': {last}' if last else '.'}", "retry": True}

    def close(self):
        if self._process is None:
            return
        self._process.stdin.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process = None


def command_here(drivers):
    """How Loupe is called on this node: LOUPE_COMMAND, what the driver calls where that is here too, or `loupe`."""
    own = os.environ.get("LOUPE_COMMAND")
    if own:
        return own.split()
    if all(os.path.exists(path) for path in drivers):
        return drivers
    found = shutil.which("loupe")
    if found:
        return [found]
    raise Unfit("there is no Loupe here: install it, with `loupe` on the PATH of Ray, or set LOUPE_COMMAND where Ray starts")


class Worker:
    """What the driver asks of a worker. Every answer is a dictionary; results go to the plan's storage and not through Ray."""

    def __init__(self, command, plan, digest, adapter, deadline=0):
        self._process = None
        self._unfit = None
        try:
            try:
                with open(plan, "rb") as file:
                    same = hashlib.sha256(file.read()).hexdigest() == digest
            except OSError as error:
                raise Unfit(f"{plan} cannot be read here ({error.strerror}): plan, prompts, models and output must be where every node finds them") from None
            if not same:
                raise Unfit(f"{plan} here is another than the driver's")
            self._process = Process(command_here(command), plan, adapter, deadline)
        except Unfit as unfit:
            self._unfit = str(unfit)

    def hello(self):
        """Answers where the worker is up."""
        return {"node": ray.util.get_node_ip_address(), "pid": os.getpid(), **({"unfit": self._unfit} if self._unfit else {})}

    def do(self, shard):
        try:
            return self._process.do(shard)
        except Unfit as unfit:
            return {"shard": shard, "unfit": str(unfit)}

    def close(self):
        if self._process is not None:
            self._process.close()
