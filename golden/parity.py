"""Random Gemmas of odd shapes, and what transformers makes of them: python golden/parity.py OUT

For every configuration OUT/NAME/ is a model folder and OUT/NAME.safetensors holds, for sequences of several lengths, `LENGTH/ids` and
`LENGTH/logits` [T,V], and `greedy/ids`, the tokens of greedy decoding on transformers' own cache after the first prompt of 17. Nothing of it is stored:
test/slow/parity.test.ts makes it, compares, and throws it away.
"""
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers
from safetensors.torch import save_file

transformers.utils.logging.disable_progress_bar()
SPECIAL = dict(bos_token_id=2, eos_token_id=1, pad_token_id=0, max_position_embeddings=512)
SLIDE, FULL = "sliding_attention", "full_attention"


def gemma1(**values):
    return "gemma", transformers.GemmaConfig(**{**SPECIAL, **values})


def gemma2(**values):
    return "gemma2", transformers.Gemma2Config(**{**SPECIAL, **values})


def gemma3(**values):
    return "gemma3", transformers.Gemma3TextConfig(**{**SPECIAL, **values})


def shape(hidden, heads, kv, dim, ff, layers, vocab):
    return dict(
        hidden_size=hidden, num_attention_heads=heads, num_key_value_heads=kv, head_dim=dim, intermediate_size=ff,
        num_hidden_layers=layers, vocab_size=vocab,
    )


def linear(factor):
    return {
        FULL: {"rope_type": "linear", "rope_theta": 1e6, "factor": factor},
        SLIDE: {"rope_type": "default", "rope_theta": 1e4},
    }


CONFIGS = {
    # Gemma 1: two norms, full attention everywhere, no caps
    "g1-mha": gemma1(**shape(64, 4, 4, 16, 96, 2, 131)),
    "g1-mqa-20": gemma1(**shape(60, 3, 1, 20, 100, 3, 97)),
    "g1-gqa-48": gemma1(**shape(96, 4, 2, 48, 132, 2, 263)),
    "g1-theta": gemma1(**shape(40, 2, 1, 24, 52, 2, 64), rope_parameters={"rope_type": "default", "rope_theta": 5000.0}),
    # Gemma 2: four norms, caps, windows on every other layer
    "g2-caps": gemma2(**shape(72, 4, 2, 24, 140, 4, 151), sliding_window=8, query_pre_attn_scalar=24),
    "g2-scale": gemma2(**shape(64, 8, 4, 16, 88, 3, 99), sliding_window=11, query_pre_attn_scalar=144, attn_logit_softcapping=5.0, final_logit_softcapping=3.0),
    "g2-no-caps": gemma2(**shape(48, 3, 3, 20, 64, 2, 77), sliding_window=6, attn_logit_softcapping=None, final_logit_softcapping=None),
    "g2-mqa": gemma2(**shape(100, 5, 1, 48, 60, 5, 203), sliding_window=16, layer_types=[FULL, SLIDE, SLIDE, FULL, SLIDE]),
    # Gemma 3: q/k norms, two RoPE bases, five windows to one
    "g3-five-one": gemma3(**shape(64, 4, 1, 24, 112, 7, 149), sliding_window=9, query_pre_attn_scalar=24),
    "g3-linear-8": gemma3(**shape(80, 4, 2, 20, 96, 6, 111), sliding_window=12, rope_parameters=linear(8.0)),
    "g3-untied": gemma3(**shape(56, 2, 2, 48, 68, 2, 83), sliding_window=7, tie_word_embeddings=False),
    "g3-pattern": gemma3(**shape(64, 8, 4, 16, 76, 4, 90), sliding_window=5, layer_types=[SLIDE, FULL, FULL, SLIDE], query_pre_attn_scalar=100),
    "g3-one-layer": gemma3(**shape(32, 1, 1, 32, 36, 1, 50), sliding_window=4),
    "g3-multimodal": ("gemma3-multimodal", gemma3(**shape(64, 4, 2, 20, 72, 6, 120), sliding_window=10)[1]),
}
CLASSES = {
    "gemma": transformers.GemmaForCausalLM,
    "gemma2": transformers.Gemma2ForCausalLM,
    "gemma3": transformers.Gemma3ForCausalLM,
}
LENGTHS = [1, 3, 17, 41]


def build(kind, config):
    """Weights that make every part matter: gains around one, matrices of a size that keeps the stream alive."""
    if kind != "gemma3-multimodal":
        config._attn_implementation = "eager"
        model = CLASSES[kind](config)
    else:
        vision = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14)
        whole = transformers.Gemma3Config(text_config=config.to_dict(), vision_config=vision, mm_tokens_per_image=1, image_token_index=119)
        whole._attn_implementation = "eager"
        whole.text_config._attn_implementation = "eager"
        model = transformers.Gemma3ForConditionalGeneration(whole)
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(0.3 * noise if weight.dim() == 1 else noise * (1.5 / weight.shape[-1] ** 0.5))
    return model.float().eval()


def greedy(model, ids, many):
    """The likeliest token, again and again, on transformers' own cache; past its end-of-sequence too."""
    cache, made = None, []
    for _ in range(many):
        result = model(input_ids=ids, past_key_values=cache, use_cache=True)
        cache = result.past_key_values
        ids = result.logits[:, -1:].argmax(-1)
        made.append(int(ids))
    return made


def old_keys(path):
    """config.json as transformers 4 wrote it: no rope_parameters, no layer_types."""
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    if "full_attention" in rope:
        config["rope_theta"], config["rope_local_base_freq"] = rope["full_attention"]["rope_theta"], rope["sliding_attention"]["rope_theta"]
        if rope["full_attention"]["rope_type"] == "linear":
            config["rope_scaling"] = {"rope_type": "linear", "factor": rope["full_attention"]["factor"]}
        config.pop("layer_types")
        config["sliding_window_pattern"] = 6
    else:
        config["rope_theta"] = rope["rope_theta"]
    path.write_text(json.dumps(config))


def main():
    out = Path(sys.argv[1])
    for name, (kind, config) in CONFIGS.items():
        model = build(kind, config)
        model.save_pretrained(out / name)
        if name in ("g1-mqa-20", "g3-linear-8", "g3-five-one"):
            old_keys(out / name / "config.json")
        generator = torch.Generator().manual_seed(3)
        tensors = {}
        with torch.no_grad():
            for length in LENGTHS:
                ids = torch.randint(3, config.vocab_size - 2, (1, length), generator=generator)
                tensors[f"{length}/ids"] = ids[0].to(torch.float32)
                tensors[f"{length}/logits"] = model(input_ids=ids).logits[0].float().contiguous()
            prompt = tensors["17/ids"].long()[None]
            tensors["greedy/ids"] = torch.tensor(greedy(model, prompt, 24), dtype=torch.float32)
        save_file(tensors, out / f"{name}.safetensors")
        print(name, flush=True)


if __name__ == "__main__":
    main()
