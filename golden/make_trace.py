"""Writes the activations of a Gemma forward pass as other people's tools would: under the names of Hugging Face's modules and, where there is no module, of
TransformerLens' hooks, in their layouts (a batch of one, heads first where they are), in the precision that the model ran in.

    python golden/make_trace.py --model golden/atlas --ids 2,300,17 --out theirs.safetensors
    python golden/make_trace.py --gguf gemma-3-270m-q4_k_m.gguf --ids 2,818,5279 --dtype bfloat16 --out theirs.safetensors
    python golden/make_trace.py --model golden/atlas --ids 2,300,17 --only model.layers. --out residuals.npz

`loupe diff --trace theirs.safetensors` judges it.
"""
import argparse
import re
import sys
from pathlib import Path

import torch
import transformers

import make_golden
from make_golden import Recorder


class Native(Recorder):
    """Keeps values in the precision that they were computed in."""

    def keep(self, name, value):
        self.chunk[name] = value.detach().clone().contiguous()


HUGGING_FACE = {
    "input_norm": "input_layernorm", "attn.q": "self_attn.q_proj", "attn.k": "self_attn.k_proj", "attn.v": "self_attn.v_proj",
    "attn.q_norm": "self_attn.q_norm", "attn.k_norm": "self_attn.k_norm", "attn.out": "self_attn.o_proj",
    "post_attn_norm": "post_attention_layernorm", "pre_mlp_norm": "pre_feedforward_layernorm", "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj", "mlp.act": "mlp.act_fn", "mlp.down": "mlp.down_proj", "post_mlp_norm": "post_feedforward_layernorm",
}
HOOKS = {
    "attn.q_rope": "attn.hook_rot_q", "attn.k_rope": "attn.hook_rot_k", "attn.scores": "attn.hook_attn_scores",
    "attn.pattern": "attn.hook_pattern", "attn.mix": "attn.hook_z", "mlp.mul": "mlp.hook_post", "resid_mid": "hook_resid_mid",
}


def theirs(stage, value, sandwich):
    """Their name of a stage, and its value as they have it."""
    whole = {"embed": "model.embed_tokens", "final_norm": "model.norm", "logits": "lm_head"}
    if stage in whole:
        return whole[stage], value[None]
    layer, rest = re.fullmatch(r"layers\.(\d+)\.(.+)", stage).groups()
    if rest == "resid":
        return f"model.layers.{layer}", value[None]
    if not sandwich and rest == "pre_mlp_norm":
        return f"model.layers.{layer}.post_attention_layernorm", value[None]
    if rest in HOOKS:
        value = torch.where(value <= -1e30, float("-inf"), value) if rest == "attn.scores" else value
        return f"blocks.{layer}.{HOOKS[rest]}", value[None]
    if rest in ("attn.q", "attn.k", "attn.v"):
        value = value.flatten(1)  # a projection knows no heads
    if rest in ("attn.q_norm", "attn.k_norm"):
        value = value.transpose(0, 1)
    return f"model.layers.{layer}.{HUGGING_FACE[rest]}", value[None]


def record(model, ids):
    """{their name: tensor} of all ids in one pass."""
    recorder = Native(model)
    with torch.no_grad():
        logits = model(torch.tensor([ids]), use_cache=False).logits[0]
    sandwich = any(".post_attn_norm" in name for name in recorder.chunk)
    named = dict(theirs(stage, value, sandwich) for stage, value in recorder.chunk.items())
    softcap = model.config.get_text_config().final_logit_softcapping
    # What is kept of lm_head is before the soft-cap, as the module has it.
    named["lm_head"] = (softcap * torch.atanh(logits.double() / softcap)).to(logits.dtype)[None] if softcap else logits[None]
    return {name: value.contiguous() for name, value in named.items()}


def save(path, named, ids):
    if path.suffix == ".npz":
        import numpy

        arrays = {name: value.float().numpy() for name, value in named.items()}
        numpy.savez_compressed(path, input_ids=numpy.array([ids]), **arrays)
    else:
        from safetensors.torch import save_file

        save_file({**named, "input_ids": torch.tensor([ids])}, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path, help="folder with config.json and model.safetensors")
    source.add_argument("--gguf", type=Path, help="a .gguf file")
    parser.add_argument("--ids", required=True, help="token ids, comma-separated")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--only", help="a regular expression of their names")
    parser.add_argument("--out", type=Path, required=True, help=".safetensors, or .npz")
    args = parser.parse_args()
    if not (args.gguf or args.model).exists():
        sys.exit(f"{args.gguf or args.model} does not exist; give a model that is there.")
    torch.manual_seed(0)
    model, _ = make_golden.load(args)
    ids = [int(i) for i in args.ids.split(",")]
    named = record(model.to(getattr(torch, args.dtype)), ids)
    if args.only:
        named = {name: value for name, value in named.items() if re.fullmatch(args.only, name)}
    save(args.out, named, ids)
    print(f"{args.out}: {len(named)} arrays, {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
