"""Deals the shards of a sweep to workers on a Ray cluster: `loupe sweep PLAN --ray ADDRESS` runs it.

What is missing comes from `loupe sweep PLAN --shards`, line by line; ids go to the workers, counts come back, and rows go from the workers to the plan's
storage. So a driver that was killed is started again, and does what is missing. Exit codes: 0 all shards stand, 1 some are missing, 2 bad input, 130 Ctrl-C, and what `loupe` passes on that was to end it.
"""
import os
import signal

# Until there is something to end in order, as while Ray is read: without a trace of Python's.
signal.signal(signal.SIGINT, signal.SIG_DFL)

# Before Ray is read: it would report use, and warn of what is meant.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # half a minute, and not ten, for a cluster that does not answer

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections import deque

import ray
from ray import cloudpickle
from ray.exceptions import RayActorError, RayError, RayTaskError

import worker
from cluster import Refused, connect, room, sentence
from deal import Deal

# A worker that has answered has the next at hand.
IN_FLIGHT = 2
# Seconds between two looks at what came.
TICK = 1
# Seconds that an end may take.
MOST_END = 60

# What ends it. Whoever began it sends what they are sent, and so does the terminal: it comes twice.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ending = False


def heed():
    """The first signal is Ctrl-C, and those behind it find it ending. To be said again when Ray is connected, which listens to SIGTERM itself."""
    for number in SIGNALS:
        signal.signal(number, stop)


def stop(*_):
    global ending
    ending = True
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.alarm(MOST_END)  # nothing else would end one that hangs now
    raise KeyboardInterrupt


class Driver:
    def __init__(self, args):
        self.args = args
        self.loupe = [*args.loupe, "sweep", args.plan]
        # By its name: the actor, what it has in hand as [(reference, shard)], and whether it is up.
        self.actors = {}
        self.flights = {}
        self.hellos = {}
        self.refs = {}
        # When the first that each has in hand was begun, and who was ended because that took too long.
        self.since = {}
        self.overdue = set()
        self.lost = 0
        self.why_unfit = None
        self.done = {"shards": 0, "already": 0, "rows": 0, "bytes": 0, "tokens": 0}
        self.began = time.monotonic()

    def begin(self):
        """Workers as actors: as many as asked for, or as there is room for."""
        args = self.args
        needs = {"CPU": args.cpus, "GPU": args.gpus, "memory": args.memory}
        fits, nodes = room(needs)
        wanted = args.workers or fits
        if wanted == 0:
            told = lambda name, amount: f"{amount / 1e9:.4g} GB of memory" if name == "memory" else f"{amount:g} {name}"
            asked = {name: need for name, need in needs.items() if need > 0}
            want = ", ".join(told(*one) for one in asked.items())
            most = ", ".join(told(name, max((node.get(name, 0) for node in nodes), default=0)) for name in asked)
            raise Refused(
                f"No node of the cluster has room for a worker ({want}); the most that one has is {most}. Ask for less (--cpus, --gpus, --memory), or give --workers to wait for nodes that will join"
            )
        wanted = min(wanted, self.deal.total) if self.deal.read else wanted
        self.began = time.monotonic()
        cloudpickle.register_pickle_by_value(worker)  # other nodes have no such file
        actor = ray.remote(worker.Worker).options(
            num_cpus=args.cpus,
            num_gpus=args.gpus,
            memory=args.memory or None,
            scheduling_strategy="SPREAD",
            # Of a worker or a node that is lost Ray makes another. A shard is not for Ray to try again: it goes to another worker, three times in all.
            max_restarts=-1,
            max_task_retries=0,
            # Loupe's processes end with their actor by a signal that lets them take away what they were writing; Ray would kill them first.
            runtime_env={"env_vars": {"RAY_kill_child_processes_on_worker_exit": "0"}},
        )
        with open(args.plan, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        for number in range(wanted):
            self.actors[number] = actor.remote(args.loupe, os.path.abspath(args.plan), digest, args.adapter, args.deadline)
            self.flights[number] = deque()
            self.greet(number)

    def greet(self, number):
        """Nothing is sent to a worker before it says that it is up; one that is made anew says so again."""
        hello = self.actors[number].hello.options(max_task_retries=-1).remote()
        self.hellos[hello] = number

    @property
    def up(self):
        return [number for number in self.actors if number not in self.hellos.values()]

    def send(self, number):
        flight = self.flights[number]
        # Near the end nobody keeps a second one from those that have none.
        most = IN_FLIGHT if self.deal.waiting > len(self.actors) else 1
        while len(flight) < most:
            shard = self.deal.take(number, self.up)
            if shard is None:
                return
            ref = self.actors[number].do.remote(shard.id)
            if not flight:
                self.since[number] = time.monotonic()
            flight.append((ref, shard))
            self.refs[ref] = number

    def retire(self, number, why):
        """A worker that can do nothing."""
        print(f"Worker {number}: {why}", file=sys.stderr)
        self.why_unfit = why
        self.drop(number)
        del self.actors[number], self.flights[number]
        self.deal.gone(number)

    def drop(self, number):
        """What it had in hand but had not begun."""
        for ref, shard in self.flights[number]:
            self.refs.pop(ref, None)
            self.deal.back(shard)
        self.flights[number].clear()

    def greeted(self, ref):
        number = self.hellos.pop(ref)
        try:
            hello = ray.get(ref)
            if "unfit" in hello:
                self.retire(number, f"on {hello['node']} {hello['unfit']}.")
        except RayError as error:
            self.retire(number, f"it cannot be started: {sentence(error)}")

    def answered(self, ref):
        number = self.refs.pop(ref)
        place = next(i for i, (other, _) in enumerate(self.flights[number]) if other == ref)
        shard = self.flights[number][place][1]
        try:
            answer = ray.get(ref)
        except RayActorError as error:
            # What it was at is the first in hand; what waited behind that was not begun.
            first = self.flights[number].popleft()
            self.refs.pop(first[0], None)
            self.lost += 1
            late = number in self.overdue
            self.overdue.discard(number)
            self.deal.failed(first[1], number, worker.late_sentence(self.args.deadline) if late else f"The worker was lost: {sentence(error)}", True)
            self.drop(number)
            self.greet(number)
            return
        except RayTaskError as error:
            answer = {"error": sentence(error), "retry": True}
        del self.flights[number][place]
        self.since[number] = time.monotonic()
        if "unfit" in answer:
            self.deal.back(shard)
            self.retire(number, f"{answer['unfit'].rstrip('.')}.")
        elif "error" in answer:
            given_up = self.deal.failed(shard, number, answer["error"], answer.get("retry", False))
            if given_up and answer.get("forAll"):
                raise Refused(answer["error"])  # the storage is silent: it would be so for all the others
        else:
            self.done["shards"] += 1
            self.done["already"] += bool(answer.get("already"))
            for name in ("rows", "bytes", "tokens"):
                self.done[name] += 0 if answer.get("already") else answer.get(name, 0)

    def end_the_late(self):
        """A worker ends its process itself at the deadline. One that does not, with its machine or without, is ended from here."""
        if not self.args.deadline:
            return
        most = self.args.deadline + worker.LAST + worker.GRACE
        for number in self.up:
            if self.flights[number] and number not in self.overdue and time.monotonic() - self.since[number] > most:
                self.overdue.add(number)
                ray.kill(self.actors[number], no_restart=False)

    def run(self, lines):
        self.deal = Deal(lines)
        if self.deal.total == 0:
            return
        connect(self.args.ray)
        if not ending:
            heed()
        self.begin()
        while self.actors:
            if ending:
                raise KeyboardInterrupt  # it came where Python passes over what is raised
            for number in self.up:
                self.send(number)
            if not self.refs and self.deal.waiting == 0:
                break
            pending = [*self.refs, *self.hellos]
            ready, _ = ray.wait(pending, num_returns=1, timeout=TICK)
            if ready:  # and all else that is there
                ready, _ = ray.wait(pending, num_returns=len(pending), timeout=0)
            for ref in ready:
                if ref in self.hellos:
                    self.greeted(ref)
                elif ref in self.refs:
                    self.answered(ref)
            self.end_the_late()
            self.progress()
        if not self.actors and (self.deal.waiting > 0 or self.refs):
            raise Refused(f"No worker is left: {self.why_unfit}")

    def progress(self):
        if not sys.stderr.isatty():
            return
        done, seconds = self.done, time.monotonic() - self.began
        total = f"{self.deal.total}" if self.deal.read else f"more than {self.deal.total}"
        left = ""
        if self.deal.read and done["shards"] > 0:
            left = f", {seconds / done['shards'] * (self.deal.waiting + len(self.refs)):.0f} s left"
        failed = f", {len(self.deal.poisoned)} failed" if self.deal.poisoned else ""
        print(f"\r\x1b[K{done['shards']} of {total} shards, {len(self.up)} workers, {done['tokens'] / seconds:.0f} tok/s{failed}{left}", end="", file=sys.stderr, flush=True)

    def clear(self):
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def tell(self):
        self.clear()
        done, seconds = self.done, time.monotonic() - self.began
        if self.deal.total > 0:
            lost = f"; {self.lost} times a worker was lost" if self.lost else ""
            print(
                f"{done['shards']} shards in {seconds:.1f} s on {len(self.actors)} workers: {done['rows']} rows, {done['bytes'] / 1e6:.1f} MB, {done['tokens'] / seconds:.0f} tok/s{lost}.",
                flush=True,
            )
        for shard, why in self.deal.poisoned:
            print(f"loupe: {shard}: {why}", file=sys.stderr)

    def end(self):
        """Processes get to end by themselves: ids that wait are taken from them."""
        if not ray.is_initialized():
            return
        closing = [self.actors[number].close.remote() for number in self.up]
        if closing:
            ray.wait(closing, num_returns=len(closing), timeout=worker.GRACE)
        ray.shutdown()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("plan")
    parser.add_argument("--loupe", type=json.loads, required=True, help="the command, a list")
    parser.add_argument("--ray", required=True)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--cpus", type=float, default=1)
    parser.add_argument("--gpus", type=float, default=0)
    parser.add_argument("--memory", type=int, default=0, help="bytes")
    parser.add_argument("--deadline", type=float, default=0, help="seconds for a shard")
    parser.add_argument("--adapter", default="")
    parser.add_argument("--parent", type=int, default=0, help="the process that it ends with")
    return parser.parse_args()


def main():
    args = arguments()
    if args.parent:
        worker.ends_with_parent()
        if os.getppid() != args.parent:
            return 130  # it was ended before that
    driver = Driver(args)
    heed()
    missing = subprocess.Popen([*driver.loupe, "--shards"], stdout=subprocess.PIPE, text=True)
    try:
        try:
            driver.run(missing.stdout)
        except KeyboardInterrupt:
            missing.terminate()  # it may be reading prompts
            raise
        finally:
            missing.stdout.close()
            code = missing.wait()
        driver.tell()
        driver.end()
    except KeyboardInterrupt:
        driver.clear()
        print(f"loupe: Stopped. {driver.done['shards']} shards were made; the same command makes those that are missing.", file=sys.stderr)
        return 130
    except Refused as error:
        driver.clear()
        print(f"loupe: {str(error).rstrip('.')}.", file=sys.stderr)
        return 2
    if code not in (0, -13):
        return code
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)  # all is done but for the manifest
    finished = subprocess.run([*driver.loupe, "--finish"]).returncode
    return finished or (1 if driver.deal.poisoned else 0)


if __name__ == "__main__":
    sys.exit(main())
