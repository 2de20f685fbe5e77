"""A model of Gemma 3 1B's exact geometry with random weights, in bf16 shards, and what PyTorch computes with it for 16 tokens.

    python golden/make_1b.py FOLDER      # FOLDER/model (2 GB) and FOLDER/golden.safetensors: every stage

Nothing of it is stored in the repository: test/slow/one-billion.test.ts makes it, compares, and throws it away.
"""
import argparse
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import make_golden
import torch
import transformers
from safetensors.torch import save_file

# As config.json of google/gemma-3-1b has it; what is not here is the configuration class's default.
GEOMETRY = dict(
    hidden_size=1152, num_hidden_layers=26, intermediate_size=6912, vocab_size=262144, num_attention_heads=4, num_key_value_heads=1,
    head_dim=256, query_pre_attn_scalar=256, sliding_window=512, max_position_embeddings=32768, bos_token_id=2, eos_token_id=1, pad_token_id=0,
)
IDS = [2, 818, 5279, 529, 7001, 563, 262143, 0, 100000, 9079, 236761, 1030, 506, 7488, 3207, 528]
SHARDS = 4


def write_model(folder):
    config = transformers.Gemma3TextConfig(**GEOMETRY, architectures=["Gemma3ForCausalLM"], dtype="bfloat16")
    with torch.device("meta"):
        names = {n: p.shape for n, p in transformers.Gemma3ForCausalLM(config).named_parameters()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.to_json_string(use_diff=False))
    listed = sorted(names)
    index = {}
    for shard in range(SHARDS):
        name = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        tensors = {}
        for i in range(shard, len(listed), SHARDS):
            generator = torch.Generator().manual_seed(i)
            scale = 0.1 if len(names[listed[i]]) == 1 else 0.02
            tensors[listed[i]] = (torch.randn(names[listed[i]], generator=generator) * scale).to(torch.bfloat16)
            index[listed[i]] = name
        save_file(tensors, folder / name, metadata={"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    write_model(folder / "model")
    args = SimpleNamespace(model=folder / "model", gguf=None, logits="last")
    model, files = make_golden.load(args)
    stages = make_golden.record(model, IDS, [len(IDS)], "last")
    save_file(dict(sorted(stages.items())), folder / "golden.safetensors", metadata=make_golden.metadata(args, model, files, IDS, [len(IDS)]))
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters:,} parameters, {len(stages)} stages")


if __name__ == "__main__":
    sys.exit(main())
