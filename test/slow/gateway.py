"""A kernel behind a gateway, asked as JupyterLab asks: python gateway.py FRONT GATEWAY TOKEN

FRONT is a Jupyter server that has its kernels from GATEWAY. Prints what was seen as JSON; gateway.test.ts judges it.
"""
import json
import sys
import time
import urllib.request
import uuid

import websocket

front, gateway, token = sys.argv[1:]
WRITES = "for (;;) for await (const { text } of model.generate('The capital of France is', { maxTokens: 40 })) void text;"


def ask(base, method, path, body=None):
    """A REST call; its JSON, or None where it answers with nothing."""
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/api/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


class Channels:
    """The one websocket that carries all channels of a kernel."""

    def __init__(self, kernel):
        self.session = uuid.uuid4().hex
        self.socket = websocket.create_connection(
            f"{front.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?session_id={self.session}",
            header=[f"Authorization: token {token}"],
            timeout=60,
        )

    def begin(self, code):
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": self.session,
            "version": "5.4",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps({**message, "buffers": []}))
        return header["msg_id"]

    def until(self, id, kind):
        """What comes of this cell, up to a message of that kind."""
        came = []
        while True:
            message = json.loads(self.socket.recv())
            if message["parent_header"].get("msg_id") != id:
                continue
            came.append(message)
            if message["msg_type"] == kind:
                return came

    def end(self, id):
        """The reply, mime types shown and texts printed or shown; the reply and `idle` come in any order."""
        came = self.until(id, "execute_reply")
        if not any(m["msg_type"] == "status" and m["content"]["execution_state"] == "idle" for m in came):
            while came[-1]["content"].get("execution_state") != "idle":
                came += self.until(id, "status")
        said = {"status": None, "mimes": [], "text": "", "error": None}
        for message in came:
            content = message["content"]
            if message["msg_type"] == "execute_reply":
                said["status"] = content["status"]
            elif message["msg_type"] in ("execute_result", "display_data"):
                said["mimes"] += sorted(content["data"])
                said["text"] += content["data"].get("text/plain", "")
            elif message["msg_type"] == "stream":
                said["text"] += content["text"]
            elif message["msg_type"] == "error":
                said["error"] = content["ename"]
        return said

    def run(self, code):
        return self.end(self.begin(code))


seen = {"specs": {name: spec["spec"].get("interrupt_mode") for name, spec in ask(front, "GET", "kernelspecs")["kernelspecs"].items()}}
kernel = ask(front, "POST", "kernels", {"name": "loupe"})["id"]
seen["behind"] = [found["id"] == kernel for found in ask(gateway, "GET", "kernels")]
channels = Channels(kernel)
seen["pid"] = int(channels.run("process.pid")["text"])
seen["picture"] = channels.run("let kept = 42;\nconst model = await open('atlas');\nmodel.picture()")
seen["attention"] = channels.run("(await model.run('The capital of France is', { tap: '**.pattern' })).attention(1)")

for name, code in {"generation": WRITES, "endless": "for (;;) {}"}.items():
    id = channels.begin(code)
    channels.until(id, "execute_input")
    time.sleep(1)
    began = time.monotonic()
    ask(front, "POST", f"kernels/{kernel}/interrupt")
    seen[name] = {**channels.end(id), "seconds": time.monotonic() - began}
seen["after"] = channels.run("kept + model.encode([1, 2, 3]).length")

ask(front, "POST", f"kernels/{kernel}/restart")
channels = Channels(kernel)
seen["restarted"] = channels.run("typeof globalThis.process + ' ' + process.pid")
seen["forgotten"] = channels.run("kept")
ask(front, "DELETE", f"kernels/{kernel}")
seen["left"] = [ask(base, "GET", "kernels") for base in (front, gateway)]
print(json.dumps(seen))
