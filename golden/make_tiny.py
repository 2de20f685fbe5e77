"""The smallest Gemma 3 with everything in it, its weights by a formula: python golden/make_tiny.py FOLDER

2 layers (one slides, one sees all), hidden 128, vocabulary 1000. Value i of the tensor called `name` in the file is

    h = fnv1a32(name) + i · 2654435761 (mod 2³²);  h ^= h >> 16;  h *= 2246822507;  h ^= h >> 13;  h *= 3266489909;  h ^= h >> 16
    value = ((h >> 8) / 2²⁴ − ½) / 4

which is exact in f32, so that test/fixtures/tiny-model.ts makes the same model without torch, byte for byte in its values.
golden/tiny.safetensors is made_golden.py's word on it: --ids 2,17,999,500,3,3,3,250,40,41,42,999 --chunks 9,1x3.
"""
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

CONFIG = {
    "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 1000, "hidden_size": 128,
    "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
    "query_pre_attn_scalar": 32, "sliding_window": 8, "max_position_embeddings": 256, "rms_norm_eps": 1e-6,
    "layer_types": ["sliding_attention", "full_attention"], "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
    "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0,
}


def values(name, shape):
    h = 2166136261
    for byte in name.encode():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.uint32(h) + np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(2654435761)
        x ^= x >> np.uint32(16)
        x *= np.uint32(2246822507)
        x ^= x >> np.uint32(13)
        x *= np.uint32(3266489909)
        x ^= x >> np.uint32(16)
    return (((x >> np.uint32(8)) / 2.0**24 - 0.5) / 4).astype(np.float32).reshape(shape)


def shapes():
    out = {"model.embed_tokens.weight": (1000, 128), "model.norm.weight": (128,)}
    for i in range(2):
        at = f"model.layers.{i}."
        for norm in ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"):
            out[f"{at}{norm}.weight"] = (128,)
        out |= {f"{at}self_attn.q_proj.weight": (128, 128), f"{at}self_attn.k_proj.weight": (64, 128), f"{at}self_attn.v_proj.weight": (64, 128)}
        out |= {f"{at}self_attn.o_proj.weight": (128, 128), f"{at}self_attn.q_norm.weight": (32,), f"{at}self_attn.k_norm.weight": (32,)}
        out |= {f"{at}mlp.gate_proj.weight": (256, 128), f"{at}mlp.up_proj.weight": (256, 128), f"{at}mlp.down_proj.weight": (128, 256)}
    return out


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1))
    save_file({name: values(name, shape) for name, shape in shapes().items()}, folder / "model.safetensors")


if __name__ == "__main__":
    main()
