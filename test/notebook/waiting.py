"""Lines that say what is waited for, and for how long: they come where the machine is slow, so that no test may count them among what a cell shows. test/lab/progress.test.ts is about them."""


class Waiting:
    def __init__(self):
        self._places = set()

    def is_line(self, message):
        """Whether a message shows such a line, changes it, or takes it away."""
        type, content = message["msg_type"], message["content"]
        if type == "clear_output":
            return bool(self._places) and not content["wait"]
        if type not in ("display_data", "update_display_data"):
            return False
        place = content.get("transient", {}).get("display_id")
        if "<progress" in content["data"].get("text/html", ""):
            self._places.add(place)
        return place in self._places
