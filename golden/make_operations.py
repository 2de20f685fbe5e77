"""One operation at a time on unit-scale inputs, from torch's and transformers' functions: python golden/make_operations.py [OUT]

Writes golden/operations.safetensors: tensors `CASE/NAME`, and in the metadata `cases`, a JSON list of
{case, op, params, tolerance}. Tolerances are largest absolute errors. Inputs are stored, so that nothing depends on a generator.
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import Gemma3TextConfig
from transformers.models.gemma2 import modeling_gemma2
from transformers.models.gemma3 import modeling_gemma3 as gemma3

torch.manual_seed(11)
tensors, cases = {}, []


def case(name, op, tolerance, params=None, **values):
    for key, value in values.items():
        tensors[f"{name}/{key}"] = value.detach().clone().contiguous()
    cases.append({"case": name, "op": op, "tolerance": tolerance, "params": params or {}})


def rms_norm():
    for t, n in ((1, 1), (3, 63), (2, 65), (5, 257), (2, 640)):
        norm = gemma3.Gemma3RMSNorm(n, eps=1e-6)
        norm.weight.data = torch.randn(n) * 0.3
        x = torch.randn(t, n)
        case(f"rms_norm_{t}x{n}", "rmsNorm", 1e-5, {"eps": 1e-6}, x=x, weight=norm.weight, y=norm(x))


def linear():
    for t, i, o in ((1, 1, 1), (1, 63, 65), (1, 64, 257), (1, 260, 63), (3, 65, 63), (17, 128, 65), (63, 32, 33), (65, 257, 9), (257, 8, 12)):
        x, w = torch.randn(t, i), torch.randn(o, i) / i**0.5
        case(f"linear_{t}x{i}x{o}", "linear", 1e-5, x=x, weight=w, y=F.linear(x, w))


def rope():
    for base, factor, t, heads, dim in ((1e4, 1, 65, 3, 32), (1e6, 1, 65, 3, 32), (1e4, 1, 601, 1, 48), (1e6, 1, 257, 1, 256), (1e6, 8, 63, 2, 32)):
        kind = {"rope_type": "linear", "rope_theta": base, "factor": float(factor)} if factor != 1 else {"rope_type": "default", "rope_theta": base}
        config = Gemma3TextConfig(head_dim=dim, hidden_size=dim, num_attention_heads=1, num_key_value_heads=1, num_hidden_layers=1,
                                  layer_types=["full_attention"], rope_parameters={"full_attention": kind, "sliding_attention": kind})
        x = torch.randn(t, heads, dim)
        cos, sin = gemma3.Gemma3RotaryEmbedding(config)(x, torch.arange(t)[None], "full_attention")
        turned, _ = gemma3.apply_rotary_pos_emb(x.transpose(0, 1)[None], x.transpose(0, 1)[None], cos, sin)
        case(f"rope_{base:.0e}_{factor}_{t}x{heads}x{dim}", "rope", 1e-5, {"base": base, "factor": factor}, x=x, y=turned[0].transpose(0, 1))


def embed():
    for v, h, t in ((5, 1, 3), (65, 63, 7), (257, 65, 63)):
        w, ids = torch.randn(v, h), torch.randint(0, v, (t,), dtype=torch.int64)
        table = gemma3.Gemma3TextScaledWordEmbedding(v, h, None, embed_scale=h**0.5)
        table.weight.data = w
        case(f"embed_{v}x{h}x{t}", "embed", 1e-5, {"scale": h**0.5, "ids": ids.tolist()}, weight=w, y=table(ids))


def attention():
    shapes = ((1, 2, 2, 32, None, None), (63, 4, 1, 32, None, None), (65, 6, 3, 48, 16, None), (17, 2, 2, 256, 5, None),
              (33, 6, 3, 32, 64, None), (65, 4, 1, 32, 1, None), (20, 4, 2, 32, 7, 50.0))
    for t, a, k, d, window, cap in shapes:
        q, key, value = torch.randn(t, a, d), torch.randn(t, k, d), torch.randn(t, k, d)
        i, j = torch.arange(t)[:, None], torch.arange(t)[None]
        seen = (j <= i) & ((j > i - window) if window else torch.ones_like(j, dtype=torch.bool))
        mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[None, None]
        module = torch.nn.Module()
        module.num_key_value_groups, module.head_dim, module.training = a // k, d, False
        lead = lambda x: x.transpose(0, 1)[None]
        kept, softmax = {}, torch.nn.functional.softmax

        def seen_softmax(x, *args, **kwargs):
            kept["scores"] = x[0]
            return softmax(x, *args, **kwargs)

        torch.nn.functional.softmax = seen_softmax
        attend = modeling_gemma2.eager_attention_forward if cap else gemma3.eager_attention_forward
        mixed, pattern = attend(module, lead(q), lead(key), lead(value), mask, scaling=d**-0.5, softcap=cap)
        torch.nn.functional.softmax = softmax
        case(f"attention_{t}_{a}_{k}_{d}_{window}_{cap}", "attention", 1e-4, {"scale": d**-0.5, "window": window, "softcap": cap},
             q=q, k=key, v=value, scores=kept["scores"], pattern=pattern[0], mix=mixed[0])


def elementwise():
    for t, n in ((1, 1), (3, 63), (65, 65), (2, 257)):
        a, b = torch.randn(t, n), torch.randn(t, n)
        case(f"add_{t}x{n}", "add", 1e-5, a=a, b=b, y=a + b)
        case(f"mul_{t}x{n}", "mul", 1e-5, a=a, b=b, y=a * b)
        case(f"gelu_{t}x{n}", "geluTanh", 2e-4, x=a, y=F.gelu(a, approximate="tanh"))
    wide = torch.linspace(-1e4, 1e4, 257)[None]
    case("gelu_wide", "geluTanh", 2e-4, x=wide, y=F.gelu(wide, approximate="tanh"))


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "operations.safetensors"
    for make in (rms_norm, linear, rope, embed, attention, elementwise):
        make()
    save_file(dict(sorted(tensors.items())), out, metadata={"cases": json.dumps(cases), "torch": torch.__version__.split("+")[0]})
    print(f"{out}: {len(cases)} cases, {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
