"""The kernel as Jupyter's own client sees it; writes one JSON object to the file named. See kernel.test.ts.

A file, not stdout: kernels inherit stdout, Node makes it non-blocking, and Python then loses what does not fit.
"""
import json
import pathlib
import queue
import re
import sys
import time

import zmq
from jupyter_client.manager import start_new_kernel

from waiting import Waiting

result = {}
manager, client = start_new_kernel(kernel_name="loupe")
waiting = Waiting()


def plain(lines):
    return re.sub(r"\x1b\[\d+m", "", "\n".join(lines))


def messages(parent, timeout=60):
    """All iopub messages of a request, until the kernel is idle again."""
    out = []
    while True:
        message = client.get_iopub_msg(timeout=timeout)
        if message["parent_header"].get("msg_id") != parent:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return out
        if not waiting.is_line(message):
            out.append((message["msg_type"], message["content"]))


def reply_to(parent, timeout=60):
    """The reply to one request; waiting for the kernel leaves others behind."""
    while True:
        message = client.get_shell_msg(timeout=timeout)
        if message["parent_header"].get("msg_id") == parent:
            return message["content"]


def run(code, **options):
    parent = client.execute(code, **options)
    out = messages(parent)
    return reply_to(parent), out


def traceback(code):
    return [plain(c["traceback"]) for t, c in run(code)[1] if t == "error"]


def values(code):
    return [c["data"]["text/plain"] for t, c in run(code)[1] if t == "execute_result"]


def printed(out, name="stdout"):
    return "".join(c["text"] for t, c in out if t == "stream" and c["name"] == name)


def complete(code):
    return reply_to(client.complete(code, len(code)))["matches"]


def stop(code, wait=0.7, ticks=0):
    """Runs a cell that does not end, and stops it: after so many seconds, and once it has printed so many ticks."""
    parent = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "execute_input" and message["parent_header"]["msg_id"] == parent:
            break
    printed = 0
    while printed < ticks:
        message = client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "stream":
            printed += message["content"]["text"].count("tick")
    time.sleep(wait)
    manager.interrupt_kernel()
    reply = reply_to(parent, timeout=20)
    messages(parent)
    return [reply["status"], reply.get("ename")]


def printed_from_now(seconds):
    count = 0
    end = time.time() + seconds
    while time.time() < end:
        try:
            count += client.get_iopub_msg(timeout=max(0.01, end - time.time()))["msg_type"] == "stream"
        except queue.Empty:
            break
    return count


try:
    result["language"] = reply_to(client.kernel_info())["language_info"]["name"]
    result["value"] = values("1 + 1")
    result["traffic"] = [t for t, _ in run("console.log('a'); 2")[1] if t != "status"]

    run("const kept = 7;")
    result["shorthand"] = values("const wrapped = (given: number) => ({ given, kept });\nJSON.stringify([{ kept }, wrapped(1)])")

    result["nested_await"] = values("await (await Promise.resolve({ twice: async () => 2 })).twice()")

    # mistakes
    result["type_errors"] = traceback("const x: number = 'no';\nlet y: string = 3;")
    result["syntax_error"] = traceback("const = 3;")
    result["function"] = run("interface Point {\n  x: number;\n}\nfunction f(p: Point): number {\n  const none: any = null;\n  return none.x + p.x;\n}")[0]["status"]
    result["thrown_deep"] = traceback("// a line\nawait new Promise(done => setTimeout(done, 5));\nf({ x: 1 });")
    result["thrown_string"] = traceback("throw 'text'")
    result["thrown_null"] = traceback("throw null")
    result["mistake"] = traceback("const model = await open('nothing');")
    result["exit"] = traceback("process.exit(3)")

    # the lab is in scope, with and without an import
    result["opened"] = run("const model = await open('atlas', { quiet: true });\nlet made = 0;")[0]["status"]
    result["imported"] = run("import { open, type Session } from 'gemma-loupe';\nconst same: Session = model;")[0]["status"]
    result["for_await"] = printed(run("for await (const t of model.generate('In', { maxTokens: 3 })) process.stdout.write('.');")[1])
    result["completions"] = complete("model.")
    result["quoted"] = complete("model.stage('layers.0.attn.q_")
    result["taps"] = complete("await model.run('x', { tap: ['layers.*.res")
    run("const run1 = await model.run('Once', { tap: 'layers.2.resid' });")
    result["tapped"] = complete("run1.at('")
    result["after_emoji"] = complete("const smile = '😀'; model.gen")
    code = "model.generate('x')"
    result["inspected"] = reply_to(client.inspect(code, 9))["data"]["text/plain"]
    result["inspected_arguments"] = reply_to(client.inspect(code, len(code) - 2))["data"]["text/plain"]
    result["inspected_stage"] = reply_to(client.inspect("model.stage('layers.0.attn.pattern')", 20))["data"]["text/plain"]

    # output
    reply, out = run("process.stdout.write('x'.repeat(50_000_000)); for (let i = 0; i < 100_000; i++) console.log(i);")
    result["flood"] = [reply["status"], len(printed(out)), printed(out, "stderr").strip()]
    parent = client.execute("setTimeout(() => console.log('late'), 300); Promise.reject(new Error('lost'));")
    reply_to(parent)
    other = client.execute("await new Promise(done => setTimeout(done, 600)); console.log('other');")
    reply_to(other)
    texts = {}
    while "other" not in texts.get(other, ""):
        message = client.get_iopub_msg(timeout=10)
        if message["msg_type"] == "stream":
            origin = message["parent_header"]["msg_id"]
            texts[origin] = texts.get(origin, "") + message["content"]["text"]
    result["late"] = [plain([texts[parent]]), texts[other]]
    result["markup"] = [sorted(c["data"]) for t, c in run("'<script>alert(1)</script>'")[1] if t == "execute_result"]

    # cells that were sent together with one that fails
    first, second = client.execute("await undefined; throw new Error('x')"), client.execute("made = 99")
    result["aborted"] = [reply_to(first)["status"], reply_to(second)["status"]]
    result["after_abort"] = values("made")

    # Stop
    before = values("model.gpu.liveBytes")
    code = "await undefined;\nwhile (true) {\n  for await (const t of model.generate('Once', { maxTokens: 500, ignoreEos: true })) { made += 1; console.log('tick'); }\n}"
    result["stopped_generation"] = stop(code, ticks=3)
    result["printed_after"] = printed_from_now(1.5)
    result["stopped_bytes"] = [before, values("model.gpu.liveBytes")]
    result["variables"] = values("made > 2")
    result["stopped_sync"] = stop("while (true) {}")
    result["stopped_late_sync"] = stop("await new Promise(done => setTimeout(done, 10)); while (true) {}")
    result["stopped_microtasks"] = stop("let turns = 0; await undefined; while (true) { await null; turns += 1; }")
    result["stopped_recursion"] = stop("const again = (): Promise<void> => Promise.resolve().then(again); await again();")
    result["stopped_timer"] = stop("while (true) { await new Promise(done => setTimeout(done, 30)); console.log('tick'); }")
    result["printed_after_timer"] = printed_from_now(0.5)
    result["stopped_diff"] = stop("const g = await golden('atlas/long'); while (true) await model.diff(g);", 1.5)
    result["stopped_run"] = stop("while (true) await model.run('Once', { tap: '**' });")
    parent = client.execute("while (true) for await (const t of model.generate('Once', { maxTokens: 500, ignoreEos: true })) {}")
    time.sleep(1.5)
    manager.signal_kernel(2)  # what a terminal sends
    result["stopped_signal"] = [reply_to(parent)["status"], "Interrupted"]

    # an interrupt that is answered late must not hit the cell after
    loops = ["await undefined; while (true) await null;", "while (true) {}", "for (;;) await new Promise(done => setTimeout(done, 5))"]
    hit = 0
    for turn in range(24):
        parent = client.execute(loops[turn % 3])
        time.sleep(0.03 * (turn % 7) + 0.05)
        manager.interrupt_kernel()
        reply_to(parent)
        hit += reply_to(client.execute("1"))["status"] != "ok"
    result["hit_after_stop"] = hit

    # a question to the person in front
    parent = client.execute("`Hello ${await ask('name? ')}`", allow_stdin=True)
    question = client.get_stdin_msg(timeout=20)
    client.input("Ada")
    result["asked"] = [question["content"]["prompt"], [c["data"]["text/plain"] for t, c in messages(parent) if t == "execute_result"]]
    result["nobody_to_ask"] = [plain(c["traceback"]) for t, c in run("await ask('name? ')", allow_stdin=False)[1] if t == "error"]
    result["goes_on"] = [sorted(c["data"]) for t, c in run("(await model.run('The capital of France is')).logits.top(1)")[1] if t == "execute_result"]

    # a socket that sends what it has overheard, and what it cannot sign
    info = client.get_connection_info()
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(f"tcp://127.0.0.1:{info['shell_port']}")
    message = client.session.msg("kernel_info_request")
    frames = client.session.serialize(message)
    answered = []
    for attempt in [frames, frames, [frames[0], b"0" * 64, *frames[2:]], [b"junk"], [frames[0]]]:
        socket.send_multipart(attempt)
        answered.append(bool(socket.poll(700)))
        if answered[-1]:
            socket.recv_multipart()
    result["answered"] = answered
    socket.close()

    client.execute("await undefined; while (true) await null;")
    time.sleep(0.7)
    manager.shutdown_wait_time = 60  # after which Jupyter would kill it
    began = time.time()
    manager.shutdown_kernel(now=False)
    result["hung_kernel_ended_itself"] = time.time() - began < 30
    manager, client = start_new_kernel(kernel_name="loupe")
    run("const model = await open('atlas', { quiet: true });")
    client.execute("for await (const t of model.generate('Once', { maxTokens: 900, ignoreEos: true })) {}")
    time.sleep(0.5)
    process = manager.provisioner.process
    manager.shutdown_kernel(now=False)
    result["exit_code"] = process.returncode
finally:
    if manager.is_alive():
        manager.shutdown_kernel(now=True)
pathlib.Path(sys.argv[1]).write_text(json.dumps(result))
