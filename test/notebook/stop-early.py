"""Stop while a cell is compiled, and what becomes of its threads; writes one JSON object to the file named. See stop-early.test.ts."""
import time

from session import Session, write

# Each branch is looked at with all those before it.
SLOW = "".join(f"let u{j} = 5; " + "".join(f"u{j} === {i} ? {i} : " for i in range(1000)) + "0;\n" for j in range(200))

result = {}
with Session() as session:
    session.run("let kept: number = 1; function next(n: number) { return n + 1 }")
    parent = session.begin(SLOW)
    time.sleep(2)
    session.manager.interrupt_kernel()
    out = session.messages(parent)
    result["stopped"] = [session.reply_to(parent)["status"], [c["ename"] for t, c in out if t == "error"]]
    result["after"] = session.told("const s: number = next(kept); s")
    result["wrong"] = session.told("const t: string = next(kept)")
    result["names"] = session.told("typeof u0")[0]

    session.run("import { Worker } from 'node:worker_threads'; const earlier = new Worker('setInterval(() => {}, 1e6)', { eval: true });")
    parent = session.begin("const worker = new Worker('while (true);', { eval: true }); console.log('begun'); await new Promise(() => {});")
    while session.client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    session.manager.interrupt_kernel()
    session.messages(parent)
    result["worker"] = session.told("for (let i = 0; i < 300 && worker.threadId >= 0; i++) await new Promise(done => setTimeout(done, 100)); worker.threadId")
    result["earlier"] = session.told("earlier.threadId > 0")
    result["own"] = session.told("const whole = new Worker('1', { eval: true }); (await new Promise(done => whole.once('exit', done)) as number) === 0 && whole instanceof Worker")
write(result)
