"""RoPE of every type, in both generations of configuration keys, as transformers computes it: python golden/make_rope.py [OUT]

Writes golden/rope.safetensors. Frequencies: `NAME/full` and `NAME/sliding` [D/2], what the model's own rotary embedding has after a sequence of
`length` tokens. Logits: `NAME/logits` [V] of atlas with that configuration after `ids`, read in the parts that `chunks` says through its
cache. The metadata's `frequencies` and `logits` say what each was asked with; a configuration is a whole config.json.
"""
import copy
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
ATLAS = json.loads((HERE / "atlas/config.json").read_text())
torch.set_num_threads(1)

LONG = dict(short_factor=[1 + 0.1 * i for i in range(16)], long_factor=[1.5 + i for i in range(16)])
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=64)
LLAMA = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


def nested(full, sliding=None, **more):
    """A Gemma 3 as transformers 5 writes it."""
    kinds = {"full_attention": {"rope_theta": 1e6, **full}, "sliding_attention": sliding or {"rope_theta": 1e4, "rope_type": "default"}}
    return {**copy.deepcopy(ATLAS), "rope_parameters": kinds, **more}


def older(scaling, **more):
    """A Gemma 3 as transformers 4 wrote it."""
    return {**without(ATLAS, "rope_parameters"), "rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": scaling, **more}


def flat(parameters, family="gemma", **more):
    """A Gemma 1 or 2."""
    keys = ["hidden_size", "head_dim", "num_attention_heads", "num_key_value_heads", "num_hidden_layers", "intermediate_size", "vocab_size", "max_position_embeddings"]
    return {"model_type": family, **{key: ATLAS[key] for key in keys}, "rope_parameters": parameters, **more}


CONFIGS = {
    # name: (config.json, lengths)
    "plain": (nested({"rope_type": "default"}), [10]),
    "bases": (nested({"rope_type": "default", "rope_theta": 5e5}, {"rope_type": "default", "rope_theta": 2e4}), [10]),
    "theta-above": ({**nested({}), "rope_parameters": {"full_attention": {"rope_type": "default"}}, "rope_theta": 7e5, "rope_local_base_freq": 3e4}, [10]),
    "linear": (nested({"rope_type": "linear", "factor": 8.0}), [10]),
    "linear-both": (nested({"rope_type": "linear", "factor": 8.0}, {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}), [10]),
    "linear-older": (older({"rope_type": "linear", "factor": 8.0}), [10]),
    "proportional": (nested({"rope_type": "proportional", "factor": 3.0}), [10]),
    "yarn": (nested(YARN), [10, 200]),
    "yarn-older": (older(YARN), [10]),
    "yarn-type-only": (older({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}), [10]),
    "yarn-type-nested": (nested({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}), [10]),
    "yarn-sliding": (nested({"rope_type": "default"}, {**YARN, "rope_theta": 1e4}), [10]),
    "yarn-original-left-out": (nested({"rope_type": "yarn", "factor": 4.0}), [10]),
    "yarn-betas": (nested({**YARN, "beta_fast": 16.0, "beta_slow": 2.0}), [10]),
    "yarn-attention": (nested({**YARN, "attention_factor": 1.5}), [10]),
    "yarn-mscale": (nested({**YARN, "factor": 40.0, "mscale": 0.7, "mscale_all_dim": 1.2}), [10]),
    "yarn-mscale-alone": (nested({**YARN, "mscale": 0.7}), [10]),
    "yarn-truncate": (nested({**YARN, "truncate": False}), [10]),
    "yarn-factor-null": (nested({**YARN, "factor": None}), [10]),
    "yarn-factor-below-one": (nested({**YARN, "factor": 0.5, "mscale": 0.7, "mscale_all_dim": 1.2}), [10]),
    "yarn-betas-zero": (nested({**YARN, "beta_fast": 0, "beta_slow": 0}), [10]),
    "yarn-type-theta": (older({"type": "yarn", "factor": 4.0, "rope_theta": 5e5}), [10]),
    "yarn-beside-parameters": (nested({}, rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}), [10]),
    "yarn-both-types": (older({**YARN, "type": "linear"}), [10]),
    "sliding-null": ({**nested({"rope_type": "linear", "factor": 8.0}), "rope_parameters": {"full_attention": None, "sliding_attention": None}}, [10]),
    "llama3": (nested(LLAMA), [10]),
    "llama3-original-left-out": (nested(without(LLAMA, "original_max_position_embeddings")), [10]),
    "llama3-factors": (nested({**LLAMA, "low_freq_factor": 2.0, "high_freq_factor": 3.0}), [10]),
    "dynamic-original": (nested({"rope_type": "dynamic", "factor": 2.0, "original_max_position_embeddings": 64}, max_position_embeddings=128), [100, 200]),
    "dynamic": (nested({"rope_type": "dynamic", "factor": 2.0}, max_position_embeddings=128), [100, 128, 129, 200, 256]),
    "longrope": (nested({"rope_type": "longrope", "original_max_position_embeddings": 128, **LONG}), [100, 128, 129, 300]),
    "longrope-factor": (nested({"rope_type": "longrope", "original_max_position_embeddings": 128, "factor": 2.0, **LONG}), [100]),
    "longrope-whole": (nested({"rope_type": "longrope", "original_max_position_embeddings": 1024, **LONG}), [10]),
    "longrope-factor-below-one": (nested({"rope_type": "longrope", "original_max_position_embeddings": 128, "factor": 0.5, **LONG}), [10]),
    "longrope-attention": (nested({"rope_type": "longrope", "original_max_position_embeddings": 128, "attention_factor": 1.25, **LONG}), [100]),
    "1-plain": (flat(None), [10]),
    "1-theta": (flat(None, rope_theta=5000.0), [10]),
    "1-yarn": (flat({**YARN, "rope_theta": 2e4}), [10]),
    "1-yarn-older": (flat(None, rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}, rope_theta=2e4), [10]),
    "1-yarn-original-above": (flat({**YARN, "rope_theta": 1e4}, original_max_position_embeddings=32), [10]),
    "1-yarn-truncate": (flat({**YARN, "truncate": False}), [10]),
    "1-llama3": (flat(LLAMA), [10]),
    "1-yarn-betas-equal": (flat({**YARN, "beta_fast": 1, "beta_slow": 1, "truncate": False}), [10]),
    "1-dynamic": (flat({"rope_type": "dynamic", "factor": 4.0}, max_position_embeddings=128), [100, 200]),
    "1-longrope": (flat({"rope_type": "longrope", "original_max_position_embeddings": 128, **LONG}), [100, 300]),
    "1-llama3-original-above": (flat(LLAMA, original_max_position_embeddings=32), [10]),
    "1-longrope-original-above": (flat({"rope_type": "longrope", "original_max_position_embeddings": 128, **LONG}, original_max_position_embeddings=64), [100]),
    "1-linear-original-above": (flat({"rope_type": "linear", "factor": 3.0}, original_max_position_embeddings=64), [10]),
    "1-scaling-empty": (flat({"rope_type": "linear", "factor": 3.0}, rope_scaling={}), [10]),
    "1-scaling-and-parameters": (flat({"rope_type": "linear", "factor": 3.0}, rope_scaling={"rope_type": "linear", "factor": 5.0}), [10]),
    "1-yarn-factor-null": (flat({**YARN, "factor": None}), [10]),
    "2-linear-older": (flat(None, "gemma2", rope_scaling={"type": "linear", "factor": 3.0}), [10]),
    "2-yarn": (flat(YARN, "gemma2"), [10]),
    "2-llama3": (flat({**LLAMA, "rope_theta": 5e5}, "gemma2"), [10]),
}

# What atlas says with it: tokens in each part
RUNS = {
    "plain": [150],
    "linear": [150],
    "linear-both": [150],
    "proportional": [150],
    "yarn": [150],
    "yarn-older": [150],
    "yarn-type-only": [150],
    "yarn-type-nested": [150],
    "yarn-sliding": [150],
    "yarn-attention": [150],
    "yarn-mscale": [150],
    "yarn-truncate": [150],
    "llama3": [150],
    "dynamic": [150],
    "dynamic-within": [120],
    "dynamic-across": [120] + [1] * 30,
    "longrope": [150],
    "longrope-within": [120],
    "longrope-across": [120] + [1] * 30,
}


def load(config):
    values = copy.deepcopy(without(config, "architectures"))
    kind = {"gemma": transformers.GemmaConfig, "gemma2": transformers.Gemma2Config, "gemma3_text": transformers.Gemma3TextConfig}
    return kind[values.pop("model_type")].from_dict(values)


def rotary(config):
    from transformers.models.gemma import modeling_gemma as one
    from transformers.models.gemma2 import modeling_gemma2 as two
    from transformers.models.gemma3 import modeling_gemma3 as three

    kind = {"gemma": one.GemmaRotaryEmbedding, "gemma2": two.Gemma2RotaryEmbedding, "gemma3_text": three.Gemma3RotaryEmbedding}
    return kind[config["model_type"]](load(config))


def frequencies(config, length):
    """(full, sliding) pairs of (frequencies, factor on cos and sin) in a sequence of `length` tokens."""
    found = {}
    for layer in ("full_attention", "sliding_attention"):
        embedding, positions, x = rotary(config), torch.arange(length)[None], torch.zeros(1)
        if config["model_type"] == "gemma3_text":
            embedding(x, positions, layer)
            found[layer] = getattr(embedding, f"{layer}_inv_freq"), getattr(embedding, f"{layer}_attention_scaling")
        else:
            embedding(x, positions)
            found[layer] = embedding.inv_freq, embedding.attention_scaling
    return found["full_attention"], found["sliding_attention"]


def logits(config, ids, chunks):
    settings = load(config)
    settings._attn_implementation = "eager"
    model = transformers.Gemma3ForCausalLM(settings).eval()
    weights = load_file(HERE / "atlas/model.safetensors")
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert missing == ["lm_head.weight"], missing
    model.tie_weights()
    cache, at = None, 0
    for tokens in chunks:
        with torch.no_grad():
            result = model(input_ids=ids[None, at : at + tokens], past_key_values=cache, use_cache=True)
        cache, at = result.past_key_values, at + tokens
    return result.logits[0, -1].float()


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "rope.safetensors"
    ids = torch.randint(4, 512, (150,), generator=torch.Generator().manual_seed(5))
    tensors, asked, runs = {"ids": ids.to(torch.float32)}, [], []
    for name, (config, lengths) in CONFIGS.items():
        for length in lengths:
            (full, by), (sliding, sliding_by) = frequencies(config, length)
            case = name if len(lengths) == 1 else f"{name}-{length}"
            tensors[f"{case}/full"], tensors[f"{case}/sliding"] = full.clone().contiguous(), sliding.clone().contiguous()
            asked.append({"case": case, "config": config, "length": length, "attention": [float(by), float(sliding_by)]})
    for name, chunks in RUNS.items():
        config = CONFIGS[name.removesuffix("-within").removesuffix("-across")][0]
        tensors[f"{name}/logits"] = logits(config, ids, chunks)
        runs.append({"case": name, "config": config, "chunks": chunks})
    save_file(tensors, out, metadata={"frequencies": json.dumps(asked), "logits": json.dumps(runs)})
    print(len(asked), "frequencies,", len(runs), "runs,", out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
