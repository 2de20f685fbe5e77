"""The goldens of atlas that are committed: writes them, or makes them again and compares.

    python golden/atlas_goldens.py            compare; exit 1 if a stage differs by more than rounding
    python golden/atlas_goldens.py --write    write golden/atlas/*.safetensors and greedy.json
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import sentencepiece as spm
import torch
from safetensors.torch import load_file
from transformers import Gemma3ForCausalLM

HERE = Path(__file__).parent
ATLAS = HERE / "atlas"
# The window is 16 tokens: `capital` and `short` fit into it, `long` and `decode` do not.
REPEATED = [101, 202, 303, 404, 150, 250, 350, 450, 111, 222]
# Two processors differ in the last bits, because the order of a sum depends on the width of their vectors.
LIMIT = 1e-5


def cases(tokenizer):
    text = lambda s: [2] + tokenizer.encode(s)
    story = text("The capital of France is Paris. The capital of Japan is Tokyo. The capital of")
    return {
        "capital": (text("The capital of France is"), None),
        "short": (text("In Rome people speak Italian."), None),
        "long": ([2] + (REPEATED * 3)[:27], None),
        "decode": ((story + text(" Italy is Rome. Once a letter was sent")[1:])[:32], "20,1x12"),
    }


def write(folder, tokenizer):
    for name, (ids, chunks) in cases(tokenizer).items():
        out = folder / f"{name}.safetensors"
        command = [sys.executable, str(HERE / "make_golden.py"), "--model", str(ATLAS), "--ids", ",".join(map(str, ids)), "--out", str(out)]
        subprocess.run(command + (["--chunks", chunks] if chunks else []), check=True)
    (folder / "greedy.json").write_text(json.dumps(greedy(tokenizer), indent=1) + "\n", encoding="utf-8")


def greedy(tokenizer):
    """Thirty-two greedy tokens after a few prompts, by transformers' generate."""
    model = Gemma3ForCausalLM.from_pretrained(ATLAS, dtype=torch.float32, attn_implementation="eager").eval()
    out = []
    for prompt in ("The capital of France is", "Once upon a time", "In Tokyo people", "If you visit Peru"):
        ids = [2] + tokenizer.encode(prompt)
        made = model.generate(torch.tensor([ids]), max_new_tokens=32, do_sample=False, eos_token_id=None, pad_token_id=0)
        out.append({"prompt": prompt, "ids": ids, "next": made[0, len(ids):].tolist()})
    return out


def compare(fresh_folder):
    worst = 0.0
    for path in sorted(ATLAS.glob("*.safetensors")):
        if path.name == "model.safetensors":
            continue
        fresh, kept = load_file(fresh_folder / path.name), load_file(path)
        if fresh.keys() != kept.keys():
            sys.exit(f"{path.name}: the stages differ: {sorted(fresh.keys() ^ kept.keys())}")
        errors = {}
        for stage, value in kept.items():
            seen = value > -1e30
            if not torch.equal(seen, fresh[stage] > -1e30):
                sys.exit(f"{path.name}: {stage} is masked elsewhere")
            norm = value[seen].double().norm().clamp_min(1e-30)
            errors[stage] = ((fresh[stage][seen].double() - value[seen].double()).norm() / norm).item()
        stage = max(errors, key=errors.get)
        worst = max(worst, errors[stage])
        print(f"{path.name}: {len(errors)} stages, largest relative difference {errors[stage]:.1e} at {stage}")
    if json.loads((fresh_folder / "greedy.json").read_text()) != json.loads((ATLAS / "greedy.json").read_text()):
        sys.exit("greedy.json differs")
    print("greedy.json: equal")
    if worst > LIMIT:
        sys.exit(f"The largest difference, {worst:.1e}, is more than rounding ({LIMIT:.0e}). Was atlas trained again? Then use --write.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the committed files")
    args = parser.parse_args()
    tokenizer = spm.SentencePieceProcessor(model_file=str(ATLAS / "tokenizer.model"))
    if args.write:
        write(ATLAS, tokenizer)
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), tokenizer)
        compare(Path(folder))


if __name__ == "__main__":
    main()
