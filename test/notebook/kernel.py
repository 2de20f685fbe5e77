"""The kernel as Jupyter's own client sees it; prints one JSON object. See kernel.test.ts."""
import json
import queue
import sys
import time

from jupyter_client.manager import start_new_kernel

result = {}
manager, client = start_new_kernel(kernel_name="loupe")


def messages(parent, timeout=60):
    """All iopub messages of a request, until the kernel is idle again."""
    out = []
    while True:
        message = client.get_iopub_msg(timeout=timeout)
        if message["parent_header"].get("msg_id") != parent:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return out
        out.append((message["msg_type"], message["content"]))


def reply_to(parent):
    """The reply to one request; waiting for the kernel leaves others behind."""
    while True:
        message = client.get_shell_msg(timeout=60)
        if message["parent_header"].get("msg_id") == parent:
            return message["content"]


def run(code):
    parent = client.execute(code)
    out = messages(parent)
    return reply_to(parent), out


try:
    result["language"] = reply_to(client.kernel_info())["language_info"]["name"]
    result["value"] = [c["data"]["text/plain"] for t, c in run("1 + 1")[1] if t == "execute_result"]
    reply, out = run("const x: number = 'no';")
    result["type_error"] = [c["evalue"] for t, c in out if t == "error"]
    reply, out = run("import { open } from 'gemma-loupe';\nconst model = await open('nothing');")
    result["mistake"] = [c for t, c in out if t == "error"][0]
    reply, out = run("import { open } from 'gemma-loupe';\nconst model = await open('atlas', { quiet: true });\nlet made = 0;")
    result["opened"] = reply["status"]
    reply, out = run("for await (const t of model.generate('In', { maxTokens: 3 })) process.stdout.write('.');")
    result["for_await"] = ["".join(c["text"] for t, c in out if t == "stream")]
    code = "model."
    result["completions"] = reply_to(client.complete(code, len(code)))["matches"]
    parent = client.execute("await undefined;\nwhile (true) {\n  for await (const t of model.generate('Once', { maxTokens: 500, ignoreEos: true })) { made += 1; console.log('tick'); }\n}")
    ticks = 0
    while ticks < 3:
        message = client.get_iopub_msg(timeout=60)
        ticks += message["msg_type"] == "stream"
    manager.interrupt_kernel()
    interrupted = reply_to(parent)
    result["interrupted"] = [interrupted["status"], interrupted["ename"]]
    messages_after = []
    while True:
        try:
            message = client.get_iopub_msg(timeout=1.5)
        except queue.Empty:
            break
        messages_after.append(message)
    idle = max(i for i, m in enumerate(messages_after) if m["msg_type"] == "status")
    result["printed_after"] = sum(m["msg_type"] == "stream" for m in messages_after[idle:])
    time.sleep(0.5)
    result["variables"] = [c["data"]["text/plain"] for t, c in run("made > 2")[1] if t == "execute_result"]
    reply, out = run("(await model.run('The capital of France is')).logits.top(1)")
    result["goes_on"] = [sorted(c["data"]) for t, c in out if t == "execute_result"]
    client.execute("await undefined;\nfor await (const t of model.generate('Once', { maxTokens: 900, ignoreEos: true })) {}")
    time.sleep(0.3)
    process = manager.provisioner.process
    manager.shutdown_kernel(now=False)
    result["exit_code"] = process.returncode
finally:
    if manager.is_alive():
        manager.shutdown_kernel(now=True)
json.dump(result, sys.stdout)
