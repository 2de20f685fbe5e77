"""A kernel of ours and what a cell does in it, through Jupyter's own client. Used by the programs beside this one."""
import json
import re
import sys
import time

from jupyter_client.manager import start_new_kernel

from waiting import Waiting


class Session:
    def __init__(self, **options):
        self.manager, self.client = start_new_kernel(kernel_name="loupe", startup_timeout=240, **options)
        self.waiting = Waiting()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)

    def messages(self, parent, timeout=120):
        """All iopub messages of a request, until the kernel is idle again."""
        out = []
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != parent:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return out
            if not self.waiting.is_line(message):
                out.append((message["msg_type"], message["content"]))

    def reply_to(self, parent, timeout=120, channel=None):
        while True:
            message = (channel or self.client.shell_channel).get_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") == parent:
                return message["content"]

    def run(self, code, **options):
        parent = self.client.execute(code, **options)
        out = self.messages(parent)
        return self.reply_to(parent), out

    def send(self, type, content, channel="shell"):
        """A request with any content. Returns its id."""
        message = self.client.session.msg(type, content)
        getattr(self.client, f"{channel}_channel").send(message)
        return message["header"]["msg_id"]

    def answer(self, type, content, channel="shell"):
        return self.reply_to(self.send(type, content, channel), channel=getattr(self.client, f"{channel}_channel"))

    def told(self, code, **options):
        """A cell as a person sees it: [status, what was shown, what was said on stderr or as an error]."""
        reply, out = self.run(code, **options)
        shown = [
            content["data"].get("text/html", content["data"].get("image/png", content["data"].get("text/plain")))
            for type, content in out
            if type in ("execute_result", "display_data", "update_display_data")
        ]
        said = [content["text"] for type, content in out if type == "stream" and content["name"] == "stderr"]
        said += ["\n".join(content["traceback"]) for type, content in out if type == "error"]
        return [reply["status"], shown, re.sub(r"\x1b\[\d+m", "", "".join(said)).strip()]

    def begin(self, code, **options):
        """Sends a cell, and waits until it runs."""
        parent = self.client.execute(code, **options)
        while True:
            message = self.client.get_iopub_msg(timeout=120)
            if message["msg_type"] == "execute_input" and message["parent_header"]["msg_id"] == parent:
                return parent

    def stop(self, code, wait=0.7):
        """Runs a cell that does not end, and stops it."""
        parent = self.begin(code)
        time.sleep(wait)
        self.manager.interrupt_kernel()
        reply = self.reply_to(parent)
        self.messages(parent)
        return [reply["status"], reply.get("ename")]


def write(result):
    """To the file named: kernels inherit stdout."""
    with open(sys.argv[1], "w") as file:
        json.dump(result, file)
