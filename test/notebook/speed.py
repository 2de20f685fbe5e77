"""How fast the kernel is, and how large: .loupe/venv/bin/python test/notebook/speed.py (after `npm run lab` or `npm test`)"""
import os
import statistics
import time

from jupyter_client.manager import start_new_kernel


def ms(seconds):
    return f"{1000 * seconds:.0f} ms"


def main():
    began = time.time()
    manager, client = start_new_kernel(kernel_name="loupe")
    answered = time.time() - began

    def timed(send):
        start = time.time()
        parent = send()
        while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != parent:
            pass
        return time.time() - start

    timed(lambda: client.execute("1"))
    ready = time.time() - began
    resident = next(line for line in open(f"/proc/{manager.provisioner.process.pid}/status") if line.startswith("VmRSS"))
    trivial = [timed(lambda i=i: client.execute(f"{i} + 1")) for i in range(20)]
    timed(lambda: client.execute("const model = await open('atlas', { quiet: true });"))
    hover = [timed(lambda: client.inspect("model.generate", 14)) for _ in range(10)]
    complete = [timed(lambda: client.complete("model.", 6)) for _ in range(10)]
    stages = [timed(lambda: client.complete("model.stage('layers.0.", 22)) for _ in range(10)]
    loop = client.execute("await undefined; while (true) await null;")
    time.sleep(1)
    start = time.time()
    manager.interrupt_kernel()
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != loop:
        pass
    stopped = time.time() - start
    client.execute("while (true) for await (const t of model.generate('Once', { maxTokens: 900, ignoreEos: true })) {}")
    time.sleep(1)
    start = time.time()
    manager.shutdown_kernel(now=False)
    gone = time.time() - start
    print(f"kernel answers         {ms(answered)}")
    print(f"first cell has run     {ms(ready)}")
    print(f"idle, resident         {int(resident.split()[1]) // 1024} MiB")
    print(f"trivial cell           {ms(statistics.median(trivial))} (median of {len(trivial)})")
    print(f"hover                  {ms(statistics.median(hover))}")
    print(f"completion of model.   {ms(statistics.median(complete))}")
    print(f"completion of a stage  {ms(statistics.median(stages))}")
    print(f"Stop, microtask loop   {ms(stopped)}")
    print(f"shutdown, generating   {ms(gone)}")


if __name__ == "__main__":
    os.environ.setdefault("JUPYTER_DATA_DIR", os.path.join(os.path.dirname(__file__), "..", "..", ".loupe", "jupyter", "data"))
    main()
