"""Two models over a text, as PyTorch and numpy have it: perplexities, the divergence of every next-token distribution, the likeliest token, cosines of the residual streams.

    python golden/make_comparison.py --out golden/comparison.json

The first is atlas in f32, the second atlas with its matrices quantised by the package gguf and dequantised again. test/lab/model-comparison.test.ts holds `loupe compare` against it.
"""
import argparse
import json
import math
from pathlib import Path

import numpy
import sentencepiece
import torch
import transformers
from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize, quantize

ROOT = Path(__file__).parent
TEXT = (
    "The capital of France is Paris. The capital of Italy is Rome. In Rome people speak Italian. Once upon a time there was a king who had three sons. "
    "The first son went to the sea, and the second son went to the mountain. The third son stayed at home with his father. One, two, three, four, five, six. "
    "Monday, Tuesday, Wednesday, Thursday, Friday. The capital of Spain is Madrid. The capital of Japan is Tokyo. The opposite of hot is cold."
)


def load():
    return transformers.AutoModelForCausalLM.from_pretrained(ROOT / "atlas", dtype=torch.float32, attn_implementation="eager").eval()


def quantised(kind):
    model = load()
    for value in model.parameters():
        if value.dim() == 2:
            packed = quantize(value.detach().numpy(), kind)
            value.data = torch.from_numpy(dequantize(packed, kind).copy())
    return model


def read(model, ids):
    """Logarithms of all next-token distributions, and the residual stream after each layer."""
    streams = []
    keep = lambda _, __, out: streams.append((out[0] if isinstance(out, tuple) else out).reshape(len(ids), -1).double())
    hooks = [layer.register_forward_hook(keep) for layer in model.model.layers]
    with torch.no_grad():
        logits = model(torch.tensor([ids]), use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    return torch.log_softmax(logits.double(), -1), streams


def compared(a, b, body, bos, window):
    each = window - 1
    nats, kl, same, change, place, cosines = [[], []], [], [], [], [], []
    for at in range(0, len(body), each):
        ids = [bos, *body[at : at + each]]
        (p, one), (q, other) = read(a, ids), read(b, ids)
        rows = range(len(ids) - 1)
        cosines.append(torch.stack([torch.nn.functional.cosine_similarity(x[:-1], y[:-1], dim=-1) for x, y in zip(one, other)], 1))
        for row in rows:
            nats[0].append(-p[row, ids[row + 1]].item())
            nats[1].append(-q[row, ids[row + 1]].item())
            kl.append((p[row].exp() * (p[row] - q[row])).sum().item() / math.log(2))
            best = p[row].argmax()
            same.append(bool(best == q[row].argmax()))
            change.append((q[row, best].exp() - p[row, best].exp()).item())
            place.append(row + 1)
    kl, place, cosine = numpy.array(kl), numpy.array(place), torch.cat(cosines).numpy()
    return {
        "tokens": len(kl),
        "perplexity": [math.exp(numpy.mean(n)) for n in nats],
        "kl": {
            "mean": kl.mean(), "median": numpy.quantile(kl, 0.5), "p90": numpy.quantile(kl, 0.9), "p99": numpy.quantile(kl, 0.99),
            "p999": numpy.quantile(kl, 0.999), "most": kl.max(), "mostAt": int(kl.argmax()),
        },
        "sameTop": numpy.mean(same),
        "topChange": math.sqrt(numpy.mean(numpy.square(change))),
        "klByPlace": {str(at): kl[place == at].mean() for at in sorted(set(place.tolist()))},
        "layers": [{"mean": cosine[:, i].mean(), "least": cosine[:, i].min()} for i in range(cosine.shape[1])],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--window", type=int, default=48)
    args = parser.parse_args()
    vocabulary = sentencepiece.SentencePieceProcessor(model_file=str(ROOT / "atlas" / "tokenizer.model"))
    body, whole = vocabulary.encode(TEXT), load()
    cases = {
        kind: compared(whole, quantised(GGMLQuantizationType[kind.upper()]), body, vocabulary.bos_id(), args.window) for kind in ("q8_0", "q4_0")
    }
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    args.out.write_text(json.dumps({**versions, "text": TEXT, "ids": body, "window": args.window, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
