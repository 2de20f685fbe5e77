"""Cells that have ended and keep the kernel to themselves, and Stop at odd moments; writes one JSON object to the file named. See background.test.ts."""
import datetime
import queue
import time

from session import Session, write

SLEEP = "await new Promise(done => setTimeout(done, 400));"
BACKGROUND = {
    "microtasks": "(async () => { while (true) await null })(); 5",
    "timer": "setTimeout(() => { for (;;) {} }, 300); 5",
    "promise": "new Promise(done => setTimeout(done, 300)).then(() => { for (;;); }); 5",
    "late": f"(async () => {{ {SLEEP} while (true) await null }})(); 5",
    "then": "Promise.resolve().then(function f(): any { return Promise.resolve().then(f) }); 5",
    "recursion": "(async function f(): Promise<any> { await null; return f() })(); 5",
    "ticks": "setTimeout(() => { function f() { process.nextTick(f) } process.nextTick(f) }, 200); 5",
    "queue": "queueMicrotask(function f() { queueMicrotask(f) }); 5",
    "for_await": "(async () => { for await (const x of (async function* () { while (true) yield 1 })()); })(); 5",
    "emitter": "import { EventEmitter } from 'node:events'; const em = new EventEmitter(); em.on('x', async () => { await null; em.emit('x') }); em.emit('x'); 5",
    "thenable": "const again = { then(done: (of: unknown) => void) { done(again) } }; Promise.resolve(again as any); 5",
    "catches": "(async () => { while (true) try { await null } catch {} finally { await null } })(); 5",
    "goes_on": "const on = async () => { try { await null } catch {} finally { on() } }; on(); 5",
    "immediates": "setTimeout(function f() { setImmediate(f); setTimeout(f, 0); queueMicrotask(f) }, 100); 5",
    "two": "for (const _ of [1, 2]) (async () => { while (true) await null })(); 5",
    "silent": "setInterval(() => { while (true); }, 200); 5",
    "prints": "setTimeout(() => { for (let i = 0; ; i++) if (i % 1e6 === 0) console.log('.') }, 200); 5",
}

result = {}


def texts(out):
    """Of a cell's messages: what it shows, and what it says."""
    shown = [c["data"]["text/plain"] for t, c in out if t == "execute_result"]
    said = [c["text"] for t, c in out if t == "stream" and c["name"] == "stderr"]
    return shown, said


class Watched(Session):
    """Keeps what comes to cells that have ended."""

    def watch(self, parents, until, seconds=120):
        """All messages by cell, until one of the cells is idle."""
        found = {parent: [] for parent in parents}
        ended = time.time() + seconds
        while time.time() < ended:
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                continue
            parent, content = message["parent_header"].get("msg_id"), message["content"]
            if parent in found and not self.waiting.is_line(message):
                found[parent].append((message["msg_type"], content))
            if parent == until and content.get("execution_state") == "idle":
                return found
        return found


def begun(session, code):
    parent = session.client.execute(code)
    shown, _ = texts(session.watch([parent], parent)[parent])
    time.sleep(0.8)
    return parent, shown


def stopped_idle(session, code):
    """Stop while no cell runs, then a cell."""
    parent, shown = begun(session, code)
    session.manager.interrupt_kernel()
    time.sleep(0.5)
    after = session.client.execute("1 + 1")
    found = session.watch([parent, after], after)
    return [shown, texts(found[parent])[1], texts(found[after])[0]]


def stopped_waiting(session, code):
    """Stop while a cell waits for its turn."""
    parent, shown = begun(session, code)
    after = session.client.execute("1 + 2")
    time.sleep(0.4)
    session.manager.interrupt_kernel()
    found = session.watch([parent, after], after)
    return [shown, texts(found[parent])[1], texts(found[after])[0]]


def stopped_beside(session, code, beside):
    """Stop while a cell runs that another one's background keeps from going on."""
    parent = session.client.execute(code)
    session.watch([parent], parent)
    after = session.client.execute(beside)
    time.sleep(1.2)
    session.manager.interrupt_kernel()
    found = session.watch([parent, after], after)
    names = [c["ename"] for t, c in found[after] if t == "error"]
    return [texts(found[parent])[1], names, session.told("1 + 3")]


def stopped_soon(session, wait, code="let n = 0; while (true) n += 1"):
    """Stop so soon after a cell was sent that it may not have begun."""
    parent = session.client.execute(code)
    time.sleep(wait)
    session.manager.interrupt_kernel()
    found = session.watch([parent], parent)[parent]
    return [session.reply_to(parent)["status"], [c["ename"] for t, c in found if t == "error"]]


def overtaken(session, microseconds):
    """A cell that is read after Stop, and was sent so much before it (or after)."""
    control, client = session.client.control_channel, session.client
    stop = client.session.msg("interrupt_request", {})
    control.send(stop)
    control.get_msg(timeout=60)
    cell = client.session.msg("execute_request", {"code": "6"})
    cell["header"]["date"] = stop["header"]["date"] - datetime.timedelta(microseconds=microseconds)
    client.shell_channel.send(cell)
    parent = cell["header"]["msg_id"]
    session.watch([parent], parent)
    return session.reply_to(parent)["status"]


# The kernel still compiles the lab's own cell; the next cells wait behind the one that Stop is for.
with Watched() as session:
    first = session.client.execute("1")
    behind = session.client.execute("2")
    session.manager.interrupt_kernel()
    found = session.watch([first, behind], behind)
    result["first"] = [session.reply_to(first)["status"], [c["ename"] for t, c in found[first] if t == "error"], session.reply_to(behind)["status"]]
    result["after_first"] = session.told("typeof open")
    result["soon"] = [stopped_soon(session, wait / 1000) for wait in range(0, 60, 3)]
    result["after_soon"] = session.told("4")

    result["overtaken"] = [overtaken(session, before) for before in (1, 300, 5_000, -1, -300)]

    result["idle"], result["waiting"] = {}, {}
    for name, code in BACKGROUND.items():
        result["idle"][name] = stopped_idle(session, code)
        result["waiting"][name] = stopped_waiting(session, code)
    wait = "await new Promise(done => setTimeout(done, 60_000))"
    result["beside"] = {name: stopped_beside(session, BACKGROUND[name].replace("200", "600").replace("300", "600").replace("400", "600"), wait) for name in ("timer", "late", "ticks")}
    # What leaves others their turn goes on while another cell is stopped.
    session.run("let counted = 0; (async () => { while (true) { counted += 1; for (const end = Date.now() + 60; Date.now() < end; ) {} await new Promise(done => setImmediate(done)) } })();")
    result["beside_polite"] = session.stop("const from = counted; " + wait)
    time.sleep(0.5)
    result["polite_goes_on"] = session.told("counted > from + 3")
    session.manager.interrupt_kernel()
    time.sleep(0.5)
    result["polite_ends"] = session.told(f"const then_ = counted; {SLEEP} counted - then_")
    evil = "({ get [Symbol.toStringTag](): string { for (;;) {} } })"
    never = "Object.defineProperty(new Error('x'), 'stack', { get() { for (;;) {} } })"
    custom = "({ [Symbol.for('nodejs.util.inspect.custom')]() { for (;;) {} } })"
    code = "({ get code() { for (;;) {} } })"
    result["thrown"] = [session.stop(f"throw {thrown}") for thrown in (evil, never, custom, code)]
    result["shown"] = [session.stop(shown) for shown in (evil, custom)]
    result["lost"] = [stopped_idle(session, f"Promise.reject({thrown}); 5")[::2] for thrown in (evil, never, custom)]
    result["values"] = {code: session.told(code)[1] for code in ("null", "undefined", "'x'.match(/y/)", "void 0", "await null", "show(null)", "[null]")}
write(result)
