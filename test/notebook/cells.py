"""What cells leave behind, through Jupyter's own client; writes one JSON object to the file named. See what-stays.test.ts."""
import json
import pathlib
import re
import sys
import time

from jupyter_client.manager import start_new_kernel

result = {}
manager, client = start_new_kernel(kernel_name="loupe")


def reply_to(parent, timeout=120):
    while True:
        message = client.get_shell_msg(timeout=timeout)
        if message["parent_header"].get("msg_id") == parent:
            return message["content"]


def run(code):
    """What a cell shows: its value, or what ended it."""
    parent = client.execute(code)
    shown = []
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != parent:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "execute_result":
            shown.append(content["data"]["text/plain"])
        elif kind == "error":
            shown.append(re.sub(r"\x1b\[\d+m", "", "\n".join(content["traceback"])))
        elif kind == "stream":
            shown.append(content["text"])
        elif kind == "status" and content["execution_state"] == "idle":
            reply_to(parent)
            return "".join(shown)


def stop(code, wait=1.0):
    parent = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["msg_type"] == "execute_input" and message["parent_header"]["msg_id"] == parent:
            break
    time.sleep(wait)
    manager.interrupt_kernel()
    return reply_to(parent).get("ename")


def complete(code):
    return reply_to(client.complete(code, len(code)))["matches"]


def inspect(code, at):
    return reply_to(client.inspect(code, at))["data"].get("text/plain")


try:
    # a cell that fails, or is stopped, keeps what it had set
    run("let changed = 1; const early = 'early';")
    result["failed"] = run("changed = 2; const before = 'before'; let twice = changed * 2;\nfunction hoisted() { return 'hoisted'; }\nthrow new Error('here');\nconst after = 'after'; class Later {}")
    result["after_failure"] = run("JSON.stringify([changed, early, before, twice, hoisted()])")
    result["not_reached"] = [run("after"), run("new Later()")]
    result["kept_older"] = [run("const early = (() => { throw new Error('again'); })()"), run("early")]
    result["stopped"] = stop("const whileRunning = { n: 0 }; changed = 3; await null; while (true) { whileRunning.n += 1; await new Promise(done => setTimeout(done, 5)); }")
    result["after_stop"] = run("JSON.stringify([changed, whileRunning.n > 5])")
    result["stopped_sync"] = stop("const spun = { n: 0 }; while (true) spun.n += 1;")
    result["after_stop_sync"] = run("spun.n > 1000")
    run("var begun = 1; enum Begun { A = 1 }")
    result["stopped_before"] = [stop("while (true) {}\nvar begun = 2; enum Begun { A = 2 }"), run("[begun, Begun.A].join()")]
    result["closures"] = [run("let level = 1; const shown = () => level; function raise() { level += 10; return level; }"), run("level = 5; [shown(), raise(), level].join()"), run("[shown(), level].join()")]
    result["again"] = [run("const again = 1; let again2 = 'x';"), run("const again = 'one'; let again2 = 2; again.length + again2")]

    # Stop and what runs in the background
    run("const model = await open('atlas', { quiet: true });")
    run("const made: number[] = []; let ended = '';\nconst background = (async () => { for await (const t of model.generate('Once', { maxTokens: 400, ignoreEos: true })) made.push(t.id); ended = 'by itself'; })().catch(error => { ended = String(error); });")
    result["other_cell"] = stop("while (true) await new Promise(done => setTimeout(done, 10));", 0.5)
    result["background"] = run("await background; [ended, made.length].join()")
    run("let ticks = 0;")
    result["with_interval"] = stop("setInterval(() => { ticks += 1; }, 5);\n(async () => { while (true) { await new Promise(done => setTimeout(done, 5)); ticks += 1; } })();\nsetTimeout(function again() { ticks += 1; setTimeout(again, 5); }, 5);\nconst own = model.generate('Once', { maxTokens: 500, ignoreEos: true }); await own.next();\nwhile (true) await new Promise(done => setTimeout(done, 10));")
    run("const seen = ticks; await new Promise(done => setTimeout(done, 300));")
    result["ticks_after"] = run("ticks - seen")
    result["own_after"] = run("await own.next()")
    run("const steps: string[] = [];")
    stop("const sleep = (ms: number) => new Promise<void>(done => setTimeout(done, ms));\ntry { await sleep(1500); steps.push('went on'); } finally { await new Promise<void>(done => setTimeout(done, 1)); steps.push('cleaned'); await null; steps.push('finally'); }\nsteps.push('after');")
    result["behind"] = run("await new Promise(done => setTimeout(done, 1500)); steps.join()")
    run("let idle = 0; const timer = setInterval(() => { idle += 1; }, 5);\n(async () => { while (true) { await new Promise(done => setTimeout(done, 5)); idle += 1; } })();")
    time.sleep(0.3)
    manager.interrupt_kernel()  # with no cell running: the background
    time.sleep(0.3)
    run("const seenIdle = idle; await new Promise(done => setTimeout(done, 300));")
    result["idle_stop"] = run("idle - seenIdle")

    # iterators that nobody goes on with
    bytes_before = run("model.gpu.liveBytes + ' ' + model.gpu.liveBuffers")
    run("const g = model.generate('Once', { maxTokens: 20, ignoreEos: true }); await g.next();")
    result["left"] = [bytes_before, run("model.gpu.liveBytes + ' ' + model.gpu.liveBuffers")]
    result["goes_on"] = run("let more = 0; for await (const t of g) more += 1; more")
    run("let h = model.generate('Once'); await h.next(); h = model.generate('Once'); await h.next();")
    result["overwritten"] = [bytes_before, run("model.gpu.liveBytes + ' ' + model.gpu.liveBuffers")]

    # completion on what the lab gives
    run("const g2 = await golden('atlas/long'); const run1 = await model.run('Once', { tap: ['layers.*.resid', '**.pattern'] });\nconst lens = await run1.lens(); const view = run1.attention(0); const stage = model.stage('layers.0.attn.q_norm'); const top = run1.logits.top(3); const act = run1.at('layers.0.resid'); const diff = await model.diff(g2); const chat = model.chat(); const table = model.picture();")
    result["members"] = {name: complete(name + ".") for name in ["g2", "lens", "view", "stage", "stage.stage", "top", "act", "diff", "chat", "table", "run1", "model", "model.gpu", "model.plan", "run1.logits"]}
    result["inspected"] = {name: inspect(name, 1) for name in ["g2", "lens", "view", "stage", "top", "act", "diff", "chat", "table"]}
    result["unfinished"] = complete("const z = { a: g2.")
finally:
    manager.shutdown_kernel(now=True)
pathlib.Path(sys.argv[1]).write_text(json.dumps(result))
