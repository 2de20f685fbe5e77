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
    dtype = "auto" if args.device == "cuda" else torch.float32
    return transformers.AutoModelForCausalLM.from_pretrained(where[0], dtype=dtype, **where[1]).to(args.device).eval()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--gpu", action="store_true", help="on a GPU, if PyTorch has one, in the model's own dtype; else on the CPU in f32")
    args = parser.parse_args()
    args.device = "cuda" if args.gpu and torch.cuda.is_available() else "cpu"
    if args.threads:
        torch.set_num_threads(args.threads)
    model = load(args)
    cache, token = None, None

    def forward(ids):
        nonlocal cache, token
        began = time.perf_counter()
        out = model(torch.tensor([ids], device=args.device), past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache, token = out.past_key_values, int(out.logits[0, -1].argmax())
        return (time.perf_counter() - began) * 1000

    def say(**what):
        print(json.dumps(what), flush=True)

    dtype = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}.get(model.dtype, str(model.dtype))
    where = f"{dtype}, {torch.cuda.get_device_name()}" if args.device == "cuda" else dtype
    say(peer=f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {where}", threads=torch.get_num_threads())
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
