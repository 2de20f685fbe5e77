"""The cluster: how it is reached, and how many workers it has room for."""
import logging
import re
import socket

import ray

# Only ids and counts are in it.
OBJECT_STORE = 100 * 1024 * 1024


class Refused(Exception):
    """A mistake in what was asked: one sentence."""


def connect(address):
    try:
        if address.startswith("ray://"):
            raise Refused(f"{address} is a port for Ray's clients, and a sweep's driver is part of the cluster: give HOST:PORT of the head, or send the command with `ray job submit`")
        if ":" in address:
            host, port = address.rsplit(":", 1)
            socket.create_connection((host, int(port)), timeout=10).close()  # Ray itself asks for minutes
        local = {"object_store_memory": OBJECT_STORE, "include_dashboard": False} if address == "local" else {}
        ray.init(address=address, namespace="loupe", log_to_driver=False, logging_level=logging.ERROR, configure_logging=True, **local)
    except Refused:
        raise
    except Exception as error:  # Ray's own have no kinds
        said = " ".join(str(error).split())
        versions = re.search(r"with: Ray: (\S+) Python: (\S+) .* with: Ray: (\S+) Python: (\S+?)\.?( |$)", said)
        if versions:
            there, its, here, own = versions.groups()[:4]
            raise Refused(
                f"The cluster runs Ray {there} on Python {its}, and this is Ray {here} on Python {own}: they must be the same. Set LOUPE_RAY_PYTHON to a Python {its} that has ray=={there}"
            ) from None
        if "uthentication" in said or "AuthToken" in said or "Failed to connect to Ray" in said:
            raise Refused(
                f"The cluster at {address} lets nobody in from here: it may ask for a token, which is RAY_AUTH_TOKEN or ~/.ray/auth_token of its head, or be reached by another of its addresses"
            ) from None
        if address == "auto":
            raise Refused("No Ray runs on this machine. Start one (ray start --head), give the address of a cluster that this machine is part of, or --ray local") from None
        if address == "local":
            raise Refused(f"Ray cannot be started here: {said[:300]}") from None
        raise Refused(f"No Ray answers at {address}: {said[:300]}") from None


def room(needs):
    """How many workers the nodes of the cluster have room for."""
    have = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return sum(int(min(node.get(name, 0) // need for name, need in needs.items() if need > 0)) for node in have), have


def sentence(error):
    """The line of Ray's message that says what happened."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in said if re.search(r"worker|node|memory|actor", line, re.I)), said[-1] if said else type(error).__name__)[:300]
