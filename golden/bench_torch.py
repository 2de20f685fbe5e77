"""PyTorch's speed on a model, asked line by line, so that `loupe bench --against torch` can measure both in turn.

    python golden/bench_torch.py --gguf gemma-3-270m-q4_k_m.gguf

Reads JSON lines from stdin: {"prefill": [ids]} reads them into an empty cache; {"read": [ids]} reads more; {"decode": n} then goes on greedily for n
tokens and forgets them again. Answers with a line {"ms": [...]}: of the prompt, or of each token. The first line says what runs: {"peer": ..., "threads": ...}.
"""
import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers

transformers.utils.logging.disable_progress_bar()


def load(args):
    where = (args.gguf.parent, {"gguf_file": args.gguf.name}) if args.gguf else (args.model, {})
    return transformers.AutoModelForCausalLM.from_pretrained(where[0], dtype=torch.float32, **where[1]).eval()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    model = load(args)
    cache, token = None, None

    def forward(ids):
        nonlocal cache, token
        began = time.perf_counter()
        out = model(torch.tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache, token = out.past_key_values, int(out.logits[0, -1].argmax())
        return (time.perf_counter() - began) * 1000

    def say(**what):
        print(json.dumps(what), flush=True)

    say(peer=f"PyTorch {torch.__version__}, transformers {transformers.__version__}, f32", threads=torch.get_num_threads())
    with torch.inference_mode():
        for line in sys.stdin:
            asked = json.loads(line)
            if "prefill" in asked:
                cache = None
                say(ms=[forward(asked["prefill"])])
            elif "read" in asked:
                say(ms=[forward(asked["read"])])
            else:
                # What a layer holds is replaced with every token and never written to, so that it is enough to keep hold of it.
                before = token, [dict(vars(layer)) for layer in cache.layers]
                times = [forward([token]) for _ in range(asked["decode"])]
                token, layers = before
                for layer, held in zip(cache.layers, layers, strict=True):
                    vars(layer).update(held)
                say(ms=times)


if __name__ == "__main__":
    main()
