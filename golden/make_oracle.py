"""Gemma 1, 2 and 3 of odd shapes in float64, every stage: python golden/make_oracle.py [OUT]

Writes golden/oracle.safetensors: `MODEL/weights/NAME` in f32 under Hugging Face's names, `MODEL/stages/NAME` in float64 under Loupe's, and in the metadata `models`, a
JSON object of {config, ids}. transformers' own code runs it; where that asks for f32 whatever its weights are (norms, softmax, RoPE), it gets float64 here.
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from make_golden import Recorder
from parity import CLASSES, FULL, SLIDE, gemma1, gemma2, gemma3, linear, shape

# Hidden sizes are squares, so that the embedding's scale is exact in f32.
MODELS = {
    "gemma1": gemma1(**shape(25, 5, 1, 12, 51, 2, 61)),
    "gemma2": gemma2(**shape(36, 4, 2, 12, 58, 2, 57), sliding_window=5, query_pre_attn_scalar=20, attn_logit_softcapping=5.0, final_logit_softcapping=3.0),
    "gemma3": gemma3(**shape(36, 6, 3, 8, 43, 3, 53), sliding_window=4, layer_types=[SLIDE, FULL, SLIDE], rope_parameters=linear(8.0), tie_word_embeddings=False),
}
TOKENS = 9


class Exact(Recorder):
    """Keeps float64."""

    def keep(self, name, value):
        self.chunk[name] = value.detach().clone().contiguous()


def in_float64():
    """What the modelling files ask of f32 is float64 from here on."""
    softmax = F.softmax
    torch.Tensor.float, torch.float = torch.Tensor.double, torch.float64
    torch.nn.functional.softmax = lambda x, dim=None, dtype=None: softmax(x, dim=dim)


def build(kind, config):
    config._attn_implementation = "eager"
    model = CLASSES[kind](config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0, 0.3 if "norm" in name else 1.2 / weight.shape[-1] ** 0.5)
            if "norm" in name:  # so that 1 + w is exact in f32
                weight.mul_(2**16).round_().div_(2**16)
    return model


def exact_frequencies(rotary, config):
    """Of every kind of layer, from the base itself: the buffers are f32."""
    for name, buffer in list(rotary.named_buffers()):
        if not name.endswith("inv_freq") or "original" in name:
            continue
        parameters = config.rope_parameters
        kind = next((k for k in (FULL, SLIDE) if name.startswith(k)), None)
        parameters = parameters[kind] if kind else parameters
        exponent = torch.arange(0, config.head_dim, 2, dtype=torch.float64) / config.head_dim
        exact = 1.0 / parameters["rope_theta"] ** exponent / parameters.get("factor", 1.0)
        assert torch.allclose(exact, buffer.to(torch.float64), rtol=1e-6), name
        rotary._buffers[name] = exact


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "oracle.safetensors"
    torch.manual_seed(23)
    models = {name: build(*given) for name, given in MODELS.items()}
    in_float64()
    tensors, told = {}, {}
    for name, model in models.items():
        config = model.config
        tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
        for key, value in model.state_dict().items():
            if key not in tied:
                tensors[f"{name}/weights/{key}"] = value.clone().contiguous()
        model = model.double()
        exact_frequencies(model.model.rotary_emb, config)
        ids = torch.randint(3, config.vocab_size, (TOKENS,)).tolist()
        recorder = Exact(model)
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
        for stage, value in {**recorder.chunk, "logits": logits}.items():
            assert value.dtype == torch.float64, stage
            tensors[f"{name}/stages/{stage}"] = value.clone().contiguous()
        told[name] = {"config": json.loads(config.to_json_string()), "ids": ids}
    save_file(dict(sorted(tensors.items())), out, metadata={"models": json.dumps(told), "torch": torch.__version__.split("+")[0]})
    print(f"{out}: {len(tensors)} tensors, {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
