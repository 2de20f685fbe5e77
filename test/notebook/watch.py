"""A watch of shaders in a cell: what is saved shows in it while no cell runs and while others do, and Stop ends it; writes one JSON object to the file named. See watch.test.ts."""
import json
import pathlib
import sys
import time

from session import Session, write

folder = pathlib.Path(sys.argv[2])
result = {}


def changes(session, seconds=60):
    """The next update of what was shown: [the cell it is in, its text, whether the place is that of the first]."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            message = session.client.get_iopub_msg(timeout=seconds)
        except Exception:
            return None
        if not session.waiting.is_line(message) and message["msg_type"] == "update_display_data":
            content = message["content"]
            if "\nBeing compared with " in content["data"]["text/plain"]:
                continue  # where that takes more than a second, what was saved is shown before
            return [message["parent_header"]["msg_id"] == cell, content["data"]["text/plain"], content["transient"]["display_id"] == place]


with Session() as session:
    session.run("const model = await open('atlas', { quiet: true }); const right = await golden('atlas/capital'); const bytes = model.gpu.liveBytes;")
    cell = session.client.execute(f"const watch = await model.watch({json.dumps(str(folder))}, {{ against: right }});\nwatch")
    out = [message for message in session.messages(cell) if message[0] in ("display_data", "execute_result", "update_display_data")]
    session.reply_to(cell)
    result["shown"] = [[type, content["data"]["text/plain"], "text/html" in content["data"]] for type, content in out]
    place = out[0][1]["transient"]["display_id"]

    rope = folder / "rope.wgsl"
    text = rope.read_text()
    rope.write_text(text.replace("a * turn.x - b", "a * turn.x + b"))
    result["idle"] = changes(session)
    result["in_force"] = session.told("[watch.taken, watch.diff!.first!.stage, model.gpu.liveBytes - bytes].join()")

    other = session.begin("await new Promise(done => setTimeout(done, 6000)); 'not disturbed'")
    rope.write_text(text)
    result["beside"] = changes(session)
    result["other"] = [session.reply_to(other)["status"], [content["data"]["text/plain"] for type, content in session.messages(other) if type == "execute_result"]]

    # the Stop of another cell is not its own, that while none runs is
    result["stopped_other"] = [session.stop("while (true) await new Promise(done => setTimeout(done, 10));"), session.told("watch.watching")]
    session.manager.interrupt_kernel()
    result["says_so"] = changes(session, 10)
    result["stopped_idle"] = session.told("watch.watching")

    # a cell that runs as long as it does
    stopped = session.stop(f"const waited = await model.watch({json.dumps(str(folder))});\nshow(waited);\nawait waited.ended;", 3)
    rope.write_text(text + "// once more\n")
    time.sleep(1)
    result["stopped_cell"] = [stopped, session.told("[waited.watching, waited.taken, model.shader('rope').includes('once more'), model.gpu.liveBytes - bytes].join()")]

    # a cell that nobody sees shows nothing
    _, silent = session.run(f"const unseen = await model.watch({json.dumps(str(folder))}); unseen", silent=True)
    result["silent"] = [type for type, _ in silent if type != "status"]
    result["until_closed"] = session.told("const was = unseen.watching; model[Symbol.dispose](); [was, unseen.watching].join()")[1][-1]
write(result)
