"""The reference parser's word on safetensors files: lines of base64 in, a line of JSON each out (null: refused).

Else every tensor's dtype, shape and first byte, and the metadata. Asked twice, as bytes and as a file, because two ways lead through the package.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path

from safetensors import deserialize, safe_open

PATH = Path(tempfile.mkdtemp()) / "case.safetensors"


def verdict(raw):
    try:
        found = deserialize(raw)
    except BaseException:  # noqa: BLE001 (a panic of Rust is a BaseException)
        found = None
    PATH.write_bytes(raw)
    try:
        with safe_open(str(PATH), "np") as f:
            opened = {k: [f.get_slice(k).get_dtype(), list(f.get_slice(k).get_shape())] for k in f.keys()}
            metadata = f.metadata()
    except BaseException:  # noqa: BLE001
        opened = None
    if (found is None) != (opened is None):
        raise SystemExit(f"deserialize and safe_open disagree on {raw[:300]!r}")
    if found is None:
        return None
    tensors = {name: [v["dtype"], list(v["shape"]), v["data"][0] if v["data"] else None] for name, v in found}
    if {k: v[1] for k, v in tensors.items()} != {k: v[1] for k, v in opened.items()}:
        raise SystemExit(f"deserialize and safe_open give other shapes for {raw[:300]!r}")
    return {"tensors": dict(sorted(tensors.items())), "metadata": dict(sorted((metadata or {}).items()))}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(verdict(base64.b64decode(line))), flush=True)
