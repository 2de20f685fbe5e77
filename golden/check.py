"""Makes every committed golden again and compares: python golden/check.py (exit 1 when one differs by more than rounding)."""
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file

HERE = Path(__file__).parent
LIMIT = 1e-5
TINY = ["--ids", "2,17,999,500,3,3,3,250,40,41,42,999", "--chunks", "9,1x3"]

TEXTS = [
    ("tokenizer_cases.py", "atlas/tokens.jsonl", "--model", HERE / "atlas/tokenizer.model", "--count", 1500),
    ("make_vocabularies.py", "vocabularies.jsonl"),
    ("bos_cases.py", "bos.json"),
    ("head_scores.py", "head_scores.json"),
    ("chat_cases.py", "chat.jsonl"),
    ("chat_odd_cases.py", "chat_odd.jsonl"),
    ("jinja_cases.py", "jinja.jsonl"),
    ("jinja_edges.py", "jinja_edges.jsonl"),
    ("jinja_members.py", "jinja_members.jsonl"),
    ("safetensors_cases.py", "safetensors-cases.jsonl"),
]


def run(script, *args):
    subprocess.run([sys.executable, str(HERE / script), *map(str, args)], check=True, stdout=subprocess.DEVNULL)


def same(name, fresh, kept):
    """Largest difference relative to a tensor's norm, over all tensors of two files."""
    a, b = load_file(fresh), load_file(kept)
    if a.keys() != b.keys():
        sys.exit(f"{name}: the tensors differ: {sorted(a.keys() ^ b.keys())}")
    worst = 0.0
    for key, value in b.items():
        x, y = a[key].double(), value.double()
        seen = y > -1e30
        if not torch.equal(seen, x > -1e30):
            sys.exit(f"{name}: {key} is masked elsewhere")
        worst = max(worst, ((x - y)[seen].norm() / y[seen].norm().clamp_min(1e-30)).item())
    print(f"{name}: {len(b)} tensors, largest relative difference {worst:.1e}")
    return worst


def main():
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        run("make_operations.py", folder / "operations.safetensors")
        worst = max(worst, same("operations", folder / "operations.safetensors", HERE / "operations.safetensors"))
        run("make_quantised.py", folder / "quantised.safetensors")
        worst = max(worst, same("quantised", folder / "quantised.safetensors", HERE / "quantised.safetensors"))
        run("make_rope.py", folder / "rope.safetensors")
        worst = max(worst, same("rope", folder / "rope.safetensors", HERE / "rope.safetensors"))
        run("make_oracle.py", folder / "oracle.safetensors")
        worst = max(worst, same("oracle", folder / "oracle.safetensors", HERE / "oracle.safetensors"))
        run("make_tiny.py", folder / "tiny")
        run("make_golden.py", "--model", folder / "tiny", *TINY, "--out", folder / "tiny.safetensors")
        worst = max(worst, same("tiny", folder / "tiny.safetensors", HERE / "tiny.safetensors"))
        for script, kept, *args in TEXTS:
            run(script, *args, "--out", folder / "text")
            if (folder / "text").read_text() != (HERE / kept).read_text():
                sys.exit(f"{kept}: the references say otherwise")
            print(f"{kept}: equal")
    if worst > LIMIT:
        sys.exit(f"The largest difference, {worst:.1e}, is more than rounding ({LIMIT:.0e}).")
    subprocess.run([sys.executable, str(HERE / "atlas_goldens.py")], check=True)


if __name__ == "__main__":
    main()
