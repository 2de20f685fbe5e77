"""Messages that no front end should send, and what the kernel says; writes one JSON object to the file named. See odd-messages.test.ts."""
import time

import zmq
from session import Session, write

result = {}
with Session() as session:
    client = session.client
    info = client.get_connection_info()
    context = zmq.Context()

    def connect(port="shell_port", name=None):
        socket = context.socket(zmq.DEALER)
        socket.linger = 0
        if name:
            socket.identity = name
        socket.connect(f"tcp://127.0.0.1:{info[port]}")
        return socket

    def alive():
        return session.answer("kernel_info_request", {})["status"]

    def signed(header, content, raw=None):
        """Frames of a message whose content may be any bytes."""
        message = client.session.msg("execute_request", content)
        message["header"].update(header)
        parts = [client.session.pack(message["header"]), b"{}", b"{}", raw if raw is not None else client.session.pack(content)]
        return [b"<IDS|MSG>", client.session.sign(parts), *parts]

    def reply(socket, frames, wait=60_000):
        """What comes back for a message, past the delimiter: [type, content], or nothing."""
        socket.send_multipart(frames)
        if not socket.poll(wait):
            return None
        parts = socket.recv_multipart()
        parts = parts[parts.index(b"<IDS|MSG>") + 2 :]
        content = client.session.unpack(parts[3])
        return [client.session.unpack(parts[0])["msg_type"], content["status"], content.get("evalue", "")]

    shell = connect()
    # called after what every JavaScript object has
    result["names"] = {}
    for name in ["__proto__", "constructor", "toString", "hasOwnProperty", "", "x" * 50_000, "status", "execute_reply"]:
        for port in ["shell_port", "control_port", "stdin_port"]:
            socket = connect(port)
            socket.send_multipart(signed({"msg_type": name}, {}))
            socket.poll(20)
            socket.close()
        result["names"][name[:20]] = alive()

    # two connections of one name, as jupyter_client's second client has it: the later is the one that is there
    result["same_name"], kept = [], []
    for port in ["shell_port", "control_port"] * 2:
        kept.append(connect(port, b"front end"))
        result["same_name"].append(reply(kept[-1], signed({"msg_type": "kernel_info_request"}, {}), 10_000))

    # content of every shape
    result["deep"] = reply(shell, signed({}, {}, b'{"code":' + b"[" * 20_000 + b"]" * 20_000 + b"}"))
    result["deep_history"] = reply(shell, signed({"msg_type": "history_request"}, {}, b'{"a":' * 20_000 + b"1" + b"}" * 20_000))
    result["no_json"] = reply(shell, signed({}, {}, b"{"))
    result["array"] = reply(shell, signed({}, {}, b"[]"))
    result["null"] = reply(shell, signed({}, {}, b"null"))
    result["no_text"] = reply(shell, signed({}, {}, b'"\xff\xfe"'))
    result["large"] = reply(shell, signed({}, {"code": "1" * 20_000_000}))
    result["large_header"] = reply(shell, signed({"username": "u" * 100_000}, {"code": "1"}), 500)
    result["after_odd_content"] = alive()

    # frames that no one could have signed, and one of 400 MB
    for frames in [[b""], [b"<IDS|MSG>"], [b"<IDS|MSG>"] * 500, [b"x"] * 5000, [b"<IDS|MSG>", b"", b"", b"", b"", b""], [b"<IDS|MSG>", b"\xff" * 64, b"{}", b"{}", b"{}", b"{}"]]:
        shell.send_multipart(frames)
    giant = connect()
    giant.send_multipart(signed({}, {}, b" " * 400_000_000))
    giant.poll(3000)
    giant.close()
    result["after_giant"] = alive()
    for port in ["hb_port", "iopub_port"]:
        socket = context.socket(zmq.REQ if port == "hb_port" else zmq.SUB)
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{info[port]}")
        if port == "hb_port":
            socket.send(b"y" * 10_000_000)
        else:
            socket.setsockopt(zmq.SUBSCRIBE, b"z" * 10_000)
        socket.poll(500)
        socket.close()
    result["after_heartbeat"] = [alive(), client.hb_channel.is_beating()]

    # who begins to listen while everybody talks
    first = []
    for index in range(300):
        for _ in range(10):
            shell.send_multipart(signed({"msg_type": "kernel_info_request"}, {}))
        listener = context.socket(zmq.SUB)
        listener.linger = 0
        topic = [b"", b"status", b"iopub_welcome"][index % 3]
        listener.setsockopt(zmq.SUBSCRIBE, topic)
        listener.connect(f"tcp://127.0.0.1:{info['iopub_port']}")
        if not listener.poll(10_000):
            first.append("nothing")
        else:
            parts = listener.recv_multipart()
            parts = parts[parts.index(b"<IDS|MSG>") + 2 :]
            first.append([client.session.unpack(parts[0])["msg_type"], client.session.unpack(parts[3]).get("subscription") == topic.decode()])
        listener.close()
    shell.close()
    result["first"] = [[heard, first.count(heard)] for heard in {str(heard): heard for heard in first}.values()]
    result["after_listeners"] = alive()

    # requests of the right type with the wrong things in them
    odd = [None, 5, -1, 1e308, "text", [], {}, {"toString": 1}, {"__proto__": {"x": 1}}, True]
    wrong = {}
    for type, fields in {
        "execute": ["code", "silent", "store_history", "user_expressions", "allow_stdin", "stop_on_error"],
        "complete": ["code", "cursor_pos"],
        "inspect": ["code", "cursor_pos", "detail_level"],
        "is_complete": ["code"],
        "history": ["hist_access_type", "output", "raw", "session", "start", "stop", "n", "pattern", "unique"],
        "comm_info": ["target_name"],
        "kernel_info": ["x"],
    }.items():
        for field in fields:
            for value in odd:
                content = {"code": "1", "cursor_pos": 1, "hist_access_type": "search", "pattern": "*", "stop_on_error": False, "silent": False}
                content[field] = value
                answered = session.answer(f"{type}_request", content)
                if answered.get("status") not in ("ok", "error", "complete", "incomplete", "invalid"):
                    wrong[f"{type}.{field} = {value}"] = answered
    result["wrong"] = wrong
    result["no_code"] = session.answer("execute_request", {})["evalue"]
    result["control"] = [session.answer("kernel_info_request", {}, "control")["status"]]
    session.send("debug_request", {"command": "x"}, "control")

    # a line that a widget opens, and hears nobody on
    parent = session.send("comm_open", {"comm_id": "a", "target_name": "jupyter.widget", "data": {}})
    result["comm"] = [[type, content.get("comm_id")] for type, content in session.messages(parent) if type != "status"]
    for type in ["comm_msg", "comm_close"]:
        session.messages(session.send(type, {"comm_id": "b"}))

    # forty stars
    session.run("'" + "a" * 5000 + "'")
    session.run("'b' + 'c'")
    began = time.time()
    result["stars"] = [
        session.answer("history_request", {"hist_access_type": "search", "pattern": pattern})["history"]
        for pattern in ["*a" * 40 + "*!", "*a?" * 40 + "*!", "*" * 100_000 + "!"]
    ]
    result["stars_quick"] = time.time() - began < 20
    found = session.answer("history_request", {"hist_access_type": "search", "pattern": "'b*'c?", "n": 1})["history"]
    result["found"] = [source for _, _, source in found]

    # expressions beside a cell
    expressions = {"sum": "1 + 1", "__proto__": "'named'", "bad": "nothing", "thrown": "throw 1", "number": 5}
    reply_ = session.answer("execute_request", {"code": "const one = 1;", "user_expressions": expressions})
    result["expressions"] = {
        name: found["data"].get("text/plain") if found["status"] == "ok" else found["ename"]
        for name, found in reply_["user_expressions"].items()
    }
    result["after"] = session.told("one + 1")
write(result)
