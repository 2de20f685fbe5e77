"""What heads do on tokens that come again, from the attentions of transformers' own code, by NumPy: the scores of Olsson et al. 2022 (prefix matching) and of TransformerLens'
head_detector (previous token, duplicate token, induction), and what a head's absence costs.

    python golden/head_scores.py --model golden/atlas --out golden/head_scores.json

[{"name", "ids", "induction": [layer][head], "previous", "duplicate", "ablation": bits a token}]. A score is the mean, over the queries for which there is such a key, of all the attention
that they give to such keys. Ablation is the mean rise of the surprisal of the tokens that an induction head could foresee, of all but the first where there are none.
"""
import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
import numpy as np
import torch
import transformers

TEN = [264, 281, 299, 317, 333, 351, 370, 388, 405, 431]
CASES = {
    "ten tokens four times": [2, *TEN * 4],
    "twenty-five tokens three times, more than the window": [2, *range(262, 262 + 7 * 25, 7)] + [*range(262, 262 + 7 * 25, 7)] * 2,
    "a token behind itself": [2, 300, 300, 301, 300, 302, 302, 302],
    "no token twice": [2, *TEN],
}


def masks(ids):
    """For each score, which keys [T,S] a query is looked at for."""
    ids = np.array(ids)
    size = len(ids)
    before = np.tril(np.ones((size, size), bool), -1)
    duplicate = (ids[:, None] == ids[None, :]) & before
    induction = np.zeros_like(duplicate)
    induction[:, 1:] = duplicate[:, :-1]
    return {"induction": induction, "previous": np.eye(size, k=-1, dtype=bool), "duplicate": duplicate}


def score(attention, mask):
    """attention [A,T,S]; null where no query has such a key."""
    rows = mask.any(1)
    return [float(x) for x in (attention * mask).sum(-1)[:, rows].mean(-1)] if rows.any() else [None] * len(attention)


def surprisal(model, ids, rows):
    with torch.no_grad():
        log = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1) / np.log(2)
    return float(np.mean([-log[row, ids[row + 1]].item() for row in rows]))


def ablation(model, ids):
    repeated = masks(ids)["induction"].any(1)
    rows = [row for row in range(len(ids) - 1) if repeated[row]] or list(range(len(ids) - 1))
    whole = surprisal(model, ids, rows)
    dim = model.config.head_dim
    out = []
    for layer in model.model.layers:
        out.append([])
        for head in range(model.config.num_attention_heads):

            def without(module, args, head=head):
                mix = args[0].clone()
                mix[..., head * dim : (head + 1) * dim] = 0
                return (mix,)

            hook = layer.self_attn.o_proj.register_forward_pre_hook(without)
            out[-1].append(surprisal(model, ids, rows) - whole)
            hook.remove()
    return out


def rounded(value):
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return None if value is None else round(value, 5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / "atlas")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        args.model, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    cases = []
    for name, ids in CASES.items():
        with torch.no_grad():
            attentions = [a[0].double().numpy() for a in model(torch.tensor([ids]), output_attentions=True).attentions]
        scores = {kind: [score(a, mask) for a in attentions] for kind, mask in masks(ids).items()}
        scores["ablation"] = ablation(model, ids)
        cases.append({"name": name, "ids": ids, **{kind: rounded(of) for kind, of in scores.items()}})
    args.out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
