"""Cells that look at their own errors, never end, or take the kernel's means away; writes one JSON object to the file named. See rough.test.ts."""
import pathlib
import re
import tempfile
import time

from session import Session, write

FOLDER = pathlib.Path(tempfile.mkdtemp())
(FOLDER / "throws.ts").write_text("interface A {}\n\nexport function fails(): never {\n  throw new Error('in file');\n}\n")

OWN_ERRORS = {
    "logged": "interface A {}\n\nfunction f() {\n  throw new Error('here');\n}\ntry { f() } catch (error) { console.log(error) }",
    "stack": "interface A {}\nconst kept = new Error('kept');\nconsole.log(kept.stack)",
    "later": "interface A {}\nconsole.log(kept.stack); throw kept",
    "value": "interface A {}\nnew Error('value', { cause: new TypeError('inner') })",
    "awaited": "interface A {}\nasync function g() { await null; throw new RangeError('awaited') }\nawait g().catch(error => console.log(error.stack))",
    "timer": "interface A {}\nawait new Promise<void>(done => setTimeout(() => { console.log(new Error('timer').stack); done() }, 1))",
    "of_node": "interface A {}\ntry { Buffer.alloc('x' as any) } catch (error) { console.log((error as Error).stack) }",
    "captured": "interface A {}\nconst holder = { stack: '' }; Error.captureStackTrace(holder); console.log(holder.stack)",
    "traced": "interface A {}\nconsole.trace('traced')",
    "evaluated": "interface A {}\ntry { eval('(() => { throw new Error(\"evaluated\") })()') } catch (error) { console.log((error as Error).stack) }",
    "of_file": f"interface A {{}}\nimport {{ fails }} from '{FOLDER}/throws'; try {{ fails() }} catch (error) {{ console.log((error as Error).stack) }}",
    "of_the_lab": "interface A {}\nawait open('nothing').catch(error => console.log(error.stack))",
    "undefined": "interface A {}\n(Error as any).prepareStackTrace = undefined; console.log(new Error('u').stack)",
    "deleted": "interface A {}\ndelete (Error as any).prepareStackTrace; console.log(new Error('d').stack)",
    "after_deleted": "interface A {}\n\nconsole.log(new Error('a').stack)",
    "own_sites": "interface A {}\nfunction sitesOf() { const old = Error.prepareStackTrace; Error.prepareStackTrace = (_, sites) => sites; const { stack } = new Error(); Error.prepareStackTrace = old; return stack as any as NodeJS.CallSite[] }\nconst sites = sitesOf(); console.log(sites.map(site => `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()} ${site}`).join('|'))",
    "own_text": "interface A {}\nError.prepareStackTrace = (error, sites) => `${error.message} at ${sites[0].getLineNumber()}`;\nconsole.log(new Error('x').stack)",
    "own_still": "interface A {}\n\n\nconsole.log(new Error('y').stack)",
    "own_twice": "interface A {}\nconst first = Error.prepareStackTrace; Error.prepareStackTrace = undefined; Error.prepareStackTrace = first; Error.prepareStackTrace = first; console.log(new Error('t').stack)",
    "defined": "Object.defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: true, configurable: true }); 1",
    "after_defined": "interface A {}\nconsole.log(new Error('z').stack)",
    "of_class": "interface A {}\nclass Mine extends TypeError { constructor() { super('mine'); Error.captureStackTrace(this, Mine) } }\nconsole.log(new Mine().stack)",
    "reported": "interface A {}\n\nthrow new Error('reported')",
    "no_trace": "const deep = (): number => deep() + 1; try { deep() } catch (error) { console.log((error as Error).stack!.split('\\n')[1]) }",
}
RECURSIONS = [
    "const r0 = (): any => { try { return r0() } finally { r0() } }; r0()",
    "const r1 = (): any => { try { return r1() } catch { return r1() } }; r1()",
    "function r2(): any { try { r2() } catch {} finally { try { r2() } catch {} } } r2()",
    "class R3 { get x(): any { try { return this.x } finally { this.x } } }\nnew R3().x",
    "await null; const r4 = (): any => { try { return r4() } finally { r4() } }; r4()",
    "const r5 = (): any => { try { return [1].map(r5) } finally { [1].forEach(r5) } }; r5()",
]
CHILDREN = [
    "execSync('sleep 60')",
    "execSync('sleep 60; echo after', { stdio: 'inherit' }); cleaned += 'went on'",
    "spawnSync('sleep', ['60']); cleaned += 'went on'",
    "await null; execSync('sleep 60 & wait')",
    "execFileSync('sh', ['-c', 'trap \"\" TERM; sleep 60; sleep 60'])",
    "try { execSync('sleep 60') } finally { cleaned += execSync('echo clean').toString().trim() }",
]
WAIT = "await new Promise(done => setTimeout(done, 50));"
LIVES = {
    "all": f"process.removeAllListeners(); setTimeout(() => {{ throw new Error('late') }}, 5); {WAIT} 1",
    "lost": f"process.removeAllListeners('unhandledRejection'); Promise.reject(new Error('lost')); {WAIT} 1",
    "signal": "await null; process.removeAllListeners('SIGINT'); process.listenerCount('SIGINT')",
    "signal_after": "await null; process.listenerCount('SIGINT')",
    "listener": f"process.on('uncaughtException', () => {{ throw new Error('within') }}); setTimeout(() => {{ throw new Error('late') }}, 5); {WAIT} 1",
    "own": f"process.removeAllListeners('uncaughtException'); let heard = 0; process.once('uncaughtException', () => {{ heard += 1 }}); setTimeout(() => {{ throw new Error('late') }}, 5); {WAIT} [heard, process.listenerCount('uncaughtException')].join()",
    "abort": "process.abort()",
    "exit": "process.exit(3)",
    "kill": "process.kill(process.pid)",
    "alive": "process.kill(process.pid, 0)",
}
ADDED = {
    "clone": "structuredClone(() => 1)",
    "text": "((x: number) => x + 1).toString()",
    "method": "String(class A { m() { for (;;) { return 1 } } })",
    "waits": "String(async (x: any) => { for (const y of [1]) await x; return { x: await y() } })",
    "concatenated": "(function () { return given() }) + ''",
    "called": "given()",
    "made": "new given()",
    "member": "given.none()",
    "iterated": "for (const _ of given) {}",
    "taken_apart": "const { a } = nothing",
    "awaited": "(await given)()",
    "caught": "try { given() } catch (error) { console.log((error as Error).message) }",
    "lost": "Promise.resolve().then(() => given()); await new Promise(done => setTimeout(done, 50))",
    "of_node": "[Function.prototype.toString.toString(), Math.max.toString()].join()",
    "own_text": "'globalThis.Reflect.get([1], 0)'",
    "elsewhere": "await new Promise(async done => new (await import('node:worker_threads')).Worker(`const f = ${(n: number) => { for (;;) return n * 2 }}; require('node:worker_threads').parentPort.postMessage(f(4))`, { eval: true }).on('message', done))",
}
SHOWN = {
    "promise": "Promise.resolve(1)",
    "pending": "[new Promise(() => {})]",
    "subclass": "class Own extends Promise<number> {}\nOwn.resolve(2)",
    "timer": "setTimeout(() => {}, 1)",
    "immediate": "setImmediate(() => {})",
}

result = {}
with Session() as session:

    def printed(code):
        reply, out = session.run(code)
        texts = [c.get("text") or c.get("data", {}).get("text/plain") or "\n".join(c.get("traceback", [])) for t, c in out if t != "execute_input"]
        return re.sub(r"\x1b\[\d+m", "", "".join(texts)).strip()

    result["own_errors"] = {name: printed(code) for name, code in OWN_ERRORS.items()}
    session.run("let ticking = 0;")
    result["recursions"] = [session.stop(code) for code in RECURSIONS]
    result["interval"] = session.stop("setInterval(() => { ticking += 1 }, 5); await new Promise(done => setTimeout(done, 50)); const r6 = (): any => { try { return r6() } finally { r6() } }; r6()")
    session.run("const seen = ticking; await new Promise(done => setTimeout(done, 200))")
    result["interval_after"] = session.told("[seen > 0, ticking - seen].join()")[1]
    result["many_intervals"] = session.told("let fired = 0; for (let i = 0; i < 40000; i++) setInterval(() => { fired += 1 }, 1e6); const last = setInterval(() => { fired += 1 }, 20); 1")
    result["many_stopped"] = [session.stop("while (true) await new Promise(done => setTimeout(done, 10));", 0.3), session.told("const fired_then = fired; clearInterval(last); fired_then > 0")[1]]
    session.run("import { execFileSync, execSync, spawn, spawnSync } from 'node:child_process'; let cleaned = ''; const other = spawn('sleep', ['60'])")
    began = time.time()
    result["children"] = [session.stop(code) for code in CHILDREN]
    result["children_seconds"] = time.time() - began
    result["children_after"] = session.told("[cleaned, other.exitCode, other.signalCode, execSync('echo well').toString()].join()")[1]
    session.run("other.kill()")

    result["lived"] = {name: session.told(code) for name, code in LIVES.items()}
    result["lived_stop"] = [session.stop("while (true);"), session.told("3")]
    result["shown"] = {name: session.told(code)[1] for name, code in SHOWN.items()}
    session.run("const given: any = 5, nothing: any = undefined; const y: any = 0;")
    result["added"] = {name: printed(code).split("\n    at")[0] for name, code in ADDED.items()}
    session.client.execute("'x'.repeat(3e8).split('').map(x => x + 'y').join('')")
    ended = time.time() + 60
    while session.manager.is_alive() and time.time() < ended:
        time.sleep(0.1)
    session.manager.restart_kernel(now=True)
    session.client.wait_for_ready(timeout=120)
    result["died"] = [session.told("1"), session.told("1")]
    session.manager.restart_kernel(now=False)
    session.client.wait_for_ready(timeout=120)
    result["restarted"] = session.told("1")
write(result)
