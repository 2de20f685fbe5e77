"""Values, errors and displays that cannot be shown, are too large or come too fast; writes one JSON object to the file named. See showing.test.ts."""
import time

from session import Session, write

DISPLAY = "[Symbol.for('Jupyter.display')]"
INSPECT = "[Symbol.for('nodejs.util.inspect.custom')]"
REFUSES = "{ get() { throw 1 }, getPrototypeOf() { throw 2 }, has() { throw 3 }, ownKeys() { throw 4 } }"

TOLD = {
    "throws": f"({{ {DISPLAY}: () => {{ throw new Error('no picture') }} }})",
    "throws_nothing": f"({{ {DISPLAY}: () => {{ throw undefined }} }})",
    "throws_proxy": f"({{ {DISPLAY}: () => {{ throw new Proxy({{}}, {REFUSES}) }} }})",
    "getter": f"({{ get {DISPLAY}() {{ throw new Error('no method') }} }})",
    "nothing": f"({{ {DISPLAY}: () => undefined }})",
    "text": f"({{ {DISPLAY}: () => 'text' }})",
    "empty": f"({{ {DISPLAY}: () => ({{}}) }})",
    "no_mime": f"({{ {DISPLAY}: () => ({{ html: '<b>' }}) }})",
    "bigint": f"({{ {DISPLAY}: () => ({{ 'text/plain': 1n }}) }})",
    "symbol": f"({{ {DISPLAY}: () => ({{ 'text/html': '<b>x</b>', 'text/plain': Symbol('x') }}) }})",
    "cycle": f"const cycle: any = {{}}; cycle.me = cycle; ({{ {DISPLAY}: () => ({{ 'application/json': cycle }}) }})",
    "function": f"({{ {DISPLAY}: () => ({{ 'application/vnd.plotly.v1+json': {{ data: [], layout: {{}}, on: () => 1 }} }}) }})",
    "nested": f"let deep: any = 1; for (let i = 0; i < 900; i++) deep = [deep]; ({{ {DISPLAY}: () => ({{ 'application/json': deep }}) }})",
    "bundle_proxy": f"({{ {DISPLAY}: () => new Proxy({{}}, {REFUSES}) }})",
    "late": f"({{ {DISPLAY}: async () => ({{ 'text/html': '<i>late</i>' }}) }})",
    "late_throws": f"({{ {DISPLAY}: async () => {{ throw new Error('too late') }} }})",
    "png": f"({{ {DISPLAY}: () => ({{ 'image/png': new Uint8Array([137, 80, 78, 71]) }}) }})",
    "buffer": f"show({{ {DISPLAY}: async () => ({{ 'image/png': Buffer.from([137, 80, 78, 71]) }}) }})",
    "show_throws": f"show({{ {DISPLAY}: () => {{ throw 1 }} }}); 'goes on'",
    "inspect": f"({{ {INSPECT}() {{ throw new Error('no text') }}, a: 1 }})",
    "proxy": f"new Proxy({{ a: 1 }}, {REFUSES}) as any",
    "revoked": "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); proxy",
    "thrown_proxy": f"throw new Proxy({{}}, {REFUSES})",
    "thrown_error_proxy": f"throw new Proxy(new Error('inside'), {REFUSES})",
    "thrown_undefined": "throw undefined",
    "thrown_symbol": "throw Symbol('s')",
    "rejected": f"await Promise.reject(new Proxy({{}}, {REFUSES}))",
    "message": "throw new (class extends Error { get message(): string { throw new Error('no message') } })()",
    "stack": "throw Object.defineProperty(new Error('m'), 'stack', { get() { throw 1 } })",
    "name": "throw Object.defineProperty(new Error('m'), 'name', { get() { throw 1 } })",
    "odd_parts": "throw Object.assign(new Error('m'), { name: Symbol('n'), message: { a: 1 }, stack: 4 })",
    "cause": "const own: any = new Error('m'); own.cause = own; throw own",
    "causes": "throw new Error('outer', { cause: new TypeError('inner') })",
    "aggregate": f"throw new AggregateError([new Error('a'), new Proxy({{}}, {REFUSES}), null], 'many')",
    "stray": f"Promise.reject(new Proxy({{}}, {REFUSES})); await new Promise(done => setTimeout(done, 100))",
    "stray_late": f"setTimeout(() => {{ throw new Proxy({{}}, {REFUSES}) }}, 1); await new Promise(done => setTimeout(done, 100))",
    "surrogate": r"'half \ud800 whole \ud83d\ude00 \\ud800'",
    "handle": "show('a')",
    "forms": "show({ 'text/html': '<b>bold</b>' })",
    "forms_last": "({ 'text/html': '<b>bold</b>' })",
}

result = {"told": {}}
with Session() as session:
    for name, code in TOLD.items():
        result["told"][name] = session.told(code)

    # asynchronous displays that never come, stopped and waited for
    never = f"({{ {DISPLAY}: () => new Promise(() => {{}}) }})"
    result["stopped"] = session.stop(never)
    result["stopped_show"] = session.stop(f"show({never}); 1")
    result["stopped_sync"] = session.stop(f"({{ {DISPLAY}: () => {{ while (true); }} }})")
    result["told"]["never"] = session.told(never)

    # larger than a page
    def size(code, **options):
        _, out = session.run(code, **options)
        return [sum(len(str(content)) for _, content in out), session.told("1")[0], kinds(out), notes(out)]

    def kinds(out):
        return {type: sum(t == type for t, _ in out) for type, _ in out if type not in ("status", "execute_input")}

    def notes(out):
        said = [content["text"] for type, content in out if type == "stream" and content["name"] == "stderr"]
        said += [content["evalue"][-200:] for type, content in out if type == "error"]
        return "".join(said).strip()

    result["large"] = {
        "value": size("'x'.repeat(5e7)"),
        "error": size("throw new Error('y'.repeat(5e7))"),
        "thrown": size("throw 'y'.repeat(5e7)"),
        "name": size("throw Object.assign(new Error('m'), { name: 'n'.repeat(5e7) })"),
        "html": size(f"({{ {DISPLAY}: () => ({{ 'text/html': 'h'.repeat(5e7), 'text/plain': 'small' }}) }})"),
        "json": size(f"({{ {DISPLAY}: () => ({{ 'application/json': {{ a: 'h'.repeat(5e7) }} }}) }})"),
        "shown": size("show('z'.repeat(5e7))"),
        "keys": size("const big: any = {}; for (let i = 0; i < 3e5; i++) big['k' + i] = i; big"),
        "many": size("for (let i = 0; i < 30; i++) show('q'.repeat(1_000_000))"),
        "errors": size("throw new AggregateError(Array.from({ length: 1e5 }, (_, i) => new Error('e' + i)), 'm')"),
        "strays": size("for (let i = 0; i < 1e4; i++) Promise.reject(new Error('lost ' + i)); await new Promise(done => setTimeout(done, 500))"),
    }

    # faster than a page
    def loop(code):
        began = time.time()
        reply, out = session.run(code)
        shown = [content["data"]["text/plain"] for type, content in out if "data" in content]
        return [reply["status"], kinds(out), shown[-1], notes(out), time.time() - began]

    seconds = "for (const from = Date.now(); Date.now() - from < 3000; n++)"
    result["loop"] = {
        "show": loop(f"let n = 0; {seconds} show(n); show('last')"),
        "update": loop(f"const d = show(0); n = 0; {seconds} d.update(n); d.update('last')"),
        "animation": loop(f"n = 0; {seconds} {{ clearOutput(true); show(n); }} show('last')"),
        "awaiting": loop(f"n = 0; {seconds} {{ show(n); await null; }} show('last')"),
        "many": loop("for (let i = 0; i < 1300; i++) show(i)"),
    }
    result["stopped_loop"] = session.stop("while (true) show(1)")

    # displays that change, from a later cell too
    reply, out = session.run("const place = show('one', 'two'); await new Promise(done => setTimeout(done, 100)); place.update('three');")
    updates = [(type, content["data"]["text/plain"], content["transient"]["display_id"]) for type, content in out if "data" in content]
    result["updated"] = [updates[0][1], updates[1][1], updates[2][0], updates[2][1], updates[2][2] == updates[0][2]]
    reply, out = session.run("place.update('four', 'five')")
    result["updated_later"] = [(type, content["data"]["text/plain"]) for type, content in out if "data" in content]

    # two questions at once; one whose cell was stopped, one whose cell has ended
    parent = session.client.execute("await Promise.all([ask('a'), ask('b', { hidden: true })])", allow_stdin=True)
    asked = []
    for answer in ["first", "second"]:
        question = session.client.get_stdin_msg(timeout=60)
        asked.append([question["content"]["prompt"], question["content"]["password"], question["parent_header"]["msg_id"] == parent])
        session.client.input(answer)
    result["asked"] = [asked, [content["data"]["text/plain"] for type, content in session.messages(parent) if type == "execute_result"]]
    parent = session.begin("await ask('stopped')", allow_stdin=True)
    session.client.get_stdin_msg(timeout=60)
    session.manager.interrupt_kernel()
    session.messages(parent)
    session.client.input("too late")
    parent = session.client.execute("await ask('again')", allow_stdin=True)
    result["asked_again"] = session.client.get_stdin_msg(timeout=60)["content"]["prompt"]
    session.client.input("in time")
    result["answered_again"] = [content["data"]["text/plain"] for type, content in session.messages(parent) if type == "execute_result"]
    result["asked_late"] = session.told("const later = ask('never answered').catch(error => error.message); 1", allow_stdin=True)[0]
    session.client.get_stdin_msg(timeout=60)
    result["refused_late"] = session.told("await later")
    result["odd_prompt"] = session.told("await ask(Symbol('x') as any)", allow_stdin=False)

    # what a child writes to the output it inherits
    session.run("import { execFileSync, execSync, spawn, spawnSync } from 'node:child_process'; import * as fs from 'node:fs';")

    def written(code):
        reply, out = session.run(code)
        said = {name: "".join(c["text"] for type, c in out if type == "stream" and c["name"] == name) for name in ("stdout", "stderr")}
        return [reply["status"], said["stdout"], said["stderr"], [c["data"]["text/plain"] for type, c in out if type == "execute_result"]]

    both = "['-c', 'echo out; echo err >&2; exit 3']"
    result["children"] = {
        "exec": written("console.log('before'); execSync('echo out; echo err >&2', { stdio: 'inherit' }); console.log('after')"),
        "failing": written("execSync('echo out; echo err >&2; exit 4', { stdio: 'inherit' })"),
        "file": written("execFileSync('sh', ['-c', 'echo out; echo err >&2'], { stdio: ['ignore', 1, 'ignore'] })"),
        "spawn_sync": written(f"const {{ status, stdout }} = spawnSync('sh', {both}, {{ stdio: ['ignore', process.stdout, process.stdout] }}); [status, stdout]"),
        "spawn": written(f"const child = spawn('sh', {both}, {{ stdio: 'inherit' }}); [await new Promise(done => child.on('close', done)), child.stdout]"),
        "piped": written("execSync('echo out; echo err >&2', { encoding: 'utf8', stdio: 'pipe' })"),
        "descriptors": written("fs.writeSync(1, 'out\\n') + fs.writeSync(2, Buffer.from('xxerr\\n'), 2)"),
        "none": written("spawnSync('no-such-program', { stdio: 'inherit' }).error?.message"),
        "large": [len(text) for text in written("execSync('head -c 3000000 /dev/zero', { stdio: 'inherit' })")[1:3]],
    }
    parent = session.client.execute("spawn('sh', ['-c', 'sleep 1; echo mine'], { stdio: 'inherit' }); 1")
    session.reply_to(parent)
    session.client.execute("await new Promise(done => setTimeout(done, 3000))")
    while True:
        message = session.client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "stream":
            break
    result["children"]["late"] = [message["content"]["text"], message["parent_header"]["msg_id"] == parent]
write(result)
