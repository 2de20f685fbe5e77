"""Which shard goes to which worker next. Knows nothing of Ray."""
import json
from collections import deque

# Lines that are read ahead: a sweep may have a million shards.
AHEAD = 10_000
# A shard that fails this often is told, and the rest goes on.
TRIES = 3


class Shard:
    """A shard that is missing, and how it went so far."""

    def __init__(self, line):
        self.line = json.loads(line)
        self.id = self.line["shard"]
        self.configuration = self.line.get("configuration")
        # Workers on which it failed, one a try.
        self.failed = []

    def __str__(self):
        model, begin, end = (self.line.get(key) for key in ("model", "from", "to"))
        return f"shard {self.id}" if begin is None else f"shard {self.id} ({model}, prompts {begin} to {end - 1})"


class Deal:
    """Takes shards from `lines` as they are asked for. A worker keeps to a configuration while there is one of it: its model is open."""

    def __init__(self, lines):
        self._lines = iter(lines)
        self._waiting = {}
        self._ahead = 0
        self._retries = []
        self._on = {}
        # Shards that were read; all there are once `read` is true.
        self.total = 0
        self.read = False
        # [(shard, sentence)] of those that are given up.
        self.poisoned = []
        self._fill()

    def _fill(self):
        while not self.read and self._ahead < AHEAD:
            line = next(self._lines, "")
            if not line.strip():
                self.read = True
                return
            shard = Shard(line)
            self._waiting.setdefault(shard.configuration, deque()).append(shard)
            self._ahead += 1
            self.total += 1

    @property
    def waiting(self):
        return self._ahead + len(self._retries)

    def take(self, worker, workers):
        """The next shard for a worker, one of `workers`; None where there is none for it now."""
        for place, shard in enumerate(self._retries):
            # Elsewhere first: what is wrong may be the machine.
            if worker not in shard.failed or all(other in shard.failed for other in workers):
                self._on[worker] = shard.configuration
                return self._retries.pop(place)
        if not self._waiting:
            return None
        configuration = self._on.get(worker)
        if configuration not in self._waiting:
            busy = list(self._on.values())
            configuration = max(self._waiting, key=lambda c: len(self._waiting[c]) / (1 + busy.count(c)))
        shards = self._waiting[configuration]
        shard = shards.popleft()
        if not shards:
            del self._waiting[configuration]
        self._ahead -= 1
        self._on[worker] = configuration
        self._fill()
        return shard

    def failed(self, shard, worker, sentence, retry):
        """It went wrong there. Tried again elsewhere, unless that is of no use. Whether it was given up."""
        shard.failed.append(worker)
        if retry and len(shard.failed) < TRIES:
            self._retries.append(shard)
            return False
        tries = f" After {len(shard.failed)} tries." if len(shard.failed) > 1 else ""
        self.poisoned.append((shard, f"{sentence}{tries}"))
        return True

    def back(self, shard):
        """It was not begun."""
        self._retries.append(shard)

    def gone(self, worker):
        self._on.pop(worker, None)
