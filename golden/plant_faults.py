"""Traces of transformers' own Gemma 3 with one bug of an engine planted at a time, as make_trace.py writes them without: everything behind the bug is computed from what it made.

    python golden/plant_faults.py --gguf gemma-3-270m-q4_k_m.gguf --ids 2,818,5279 --long 520 --dtype bfloat16 --out planted/

One file a bug and one without, short and long. Bugs that show only past the window are planted in --long tokens, of which the first layer alone is kept.
`loupe diff --trace planted/FILE --model …` names it; `files.json` says which file has which bug. golden/other-engine.safetensors, of notebook 09, is one of these.
"""
import argparse
import contextlib
import importlib
import json
import sys
from pathlib import Path

import torch

import make_golden
import make_trace

#: Where heads of keys and values lie in one row after the other, the head behind the last is the next token's first.
NEXT = 1


class Engine:
    """The model, with places in its attention where a bug can stand. Made before the recorder, so that it hears what the bug makes."""

    def __init__(self, model):
        self.model, self.text = model, model.model if hasattr(model.model, "layers") else model.model.language_model
        self.module = importlib.import_module(type(self.text).__module__)
        self.config = self.text.config
        self.right = {"rotate": self.module.apply_rotary_pos_emb, "attend": self.module.eager_attention_forward}
        self.now = dict(self.right)
        self.overflows = None
        self.module.apply_rotary_pos_emb = lambda *args, **kwargs: self.now["rotate"](*args, **kwargs)
        self.module.eager_attention_forward = lambda *args, **kwargs: self.now["attend"](*args, **kwargs)
        for i, layer in enumerate(self.text.layers):
            layer.mlp.down_proj.register_forward_pre_hook(lambda m, args, i=i: self.overflow(i, args[0]))
        self.recorder = make_trace.Native(model)

    def overflow(self, layer, product):
        """In layer 4 all but the values of f16 become infinite, as if that ended where the largest few of these begin."""
        if not self.overflows or layer != 4:
            return None
        most = product.abs().flatten().topk(4).values[-1]
        return (torch.where(product.abs() > most, product.sign() * torch.inf, product),)

    def layers(self, kind):
        return [i for i, of in enumerate(self.config.layer_types) if of == kind]

    def trace(self, ids, left_out=()):
        self.recorder.chunk = {}
        with torch.no_grad():
            logits = self.model(torch.tensor([ids]), use_cache=False).logits[0]
        named = dict(make_trace.theirs(stage, value, True) for stage, value in self.recorder.chunk.items() if stage not in left_out)
        return {name: value.contiguous() for name, value in {**named, "lm_head": logits[None]}.items()}


@contextlib.contextmanager
def setting(of, **values):
    """Attributes that are others for a while."""
    before = {name: getattr(of, name) for name in values}
    for name, value in values.items():
        setattr(of, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(of, name, value)


@contextlib.contextmanager
def several(contexts):
    with contextlib.ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


@contextlib.contextmanager
def instead(engine, what, function):
    engine.now[what] = function
    try:
        yield
    finally:
        engine.now[what] = engine.right[what]


@contextlib.contextmanager
def weights(parameters, change):
    before = [parameter.data.clone() for parameter in parameters]
    for parameter in parameters:
        parameter.data = change(parameter.data)
    try:
        yield
    finally:
        for parameter, value in zip(parameters, before):
            parameter.data = value


def attending(engine, change):
    """`change` has the arguments of attention by name and returns those that are others."""

    def attend(module, query, key, value, attention_mask, **rest):
        given = {"query": query, "key": key, "value": value, "attention_mask": attention_mask, **rest}
        return engine.right["attend"](module, **{**given, **change(module, given)})

    return instead(engine, "attend", attend)


def interleaved(q, k, cos, sin, **_):
    """RoPE of neighbours, as GPT-J has it."""
    half = cos.shape[-1] // 2
    c, s = (x[..., :half].repeat_interleave(2, -1).unsqueeze(1) for x in (cos, sin))
    turned = lambda x: torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
    return q * c + turned(q) * s, k * c + turned(k) * s


def local_base(engine):
    full = engine.layers("full_attention")

    def rotate(q, k, cos, sin, **kwargs):
        if engine.recorder.layer in full:
            cos, sin = engine.text.rotary_emb(q, torch.arange(q.shape[2])[None], "sliding_attention")
        return engine.right["rotate"](q, k, cos, sin, **kwargs)

    return instead(engine, "rotate", rotate)


def wrong_head(module, given):
    """The second half of the heads reads the head of keys and values behind its own."""
    groups = module.num_key_value_groups
    taken = {}
    for name in ("key", "value"):
        own = given[name].repeat_interleave(groups, 1)
        heads, kv = own.shape[1], given[name].shape[1]
        behind = given[name].roll(-1, 1) if kv > 1 else given[name].roll(-NEXT, 2)
        taken[name] = torch.cat((own[:, : heads // 2], behind.repeat_interleave(groups, 1)[:, heads // 2 :]), 1)
    return taken


def wrong_heads(engine):
    def attend(module, *args, **kwargs):
        with setting(module, num_key_value_groups=1):
            return engine.right["attend"](module, *args, **kwargs)

    def change(module, query, key, value, attention_mask, **rest):
        taken = wrong_head(module, {"key": key, "value": value})
        return attend(module, query, taken["key"], taken["value"], attention_mask, **rest)

    return instead(engine, "attend", change)


def causal(tokens, dtype):
    return torch.full((tokens, tokens), torch.finfo(dtype).min, dtype=dtype).triu(1)[None, None]


def slot_before(engine):
    """Once the ring is full, the slot of the oldest key is taken for the one before it."""
    window = engine.config.sliding_window

    def attend(module, query, key, value, attention_mask, scaling=None, **_):
        k, v = (x.repeat_interleave(module.num_key_value_groups, 1) for x in (key, value))
        scores = query @ k.transpose(2, 3) * scaling
        if module.is_sliding:
            for at in range(window, query.shape[2]):
                scores[:, :, at, at - window + 1] = (query[:, :, at] * k[:, :, at - window]).sum(-1) * scaling
        pattern = torch.nn.functional.softmax(scores + attention_mask, dim=-1, dtype=torch.float32).to(query.dtype)
        return (pattern @ v).transpose(1, 2).contiguous(), pattern

    return instead(engine, "attend", attend)


def stale(module, given):
    """In the first layer keys 3 to 5 are of other tokens: what was there before a rewind."""
    if module.layer_idx != 0:
        return {}
    key = given["key"].clone()
    key[:, :, 3:6] = given["key"].flip(2)[:, :, :3]
    return {"key": key}


def transposed_row(weight):
    """Row 7 has what column 7 should."""
    out, n = weight.clone(), min(weight.shape)
    out[7, :n] = weight[:n, 7]
    return out


def norms(engine):
    return [m for m in engine.text.modules() if type(m).__name__.endswith("RMSNorm")]


SAME = {"forward": lambda x: x}
#: Of each its context, the stages that such an engine does not have, and whether it shows past the window alone.
FAULTS = {
    "window ignored": (lambda e: attending(e, lambda m, g: {"attention_mask": causal(g["query"].shape[2], g["query"].dtype)}), (), True),
    "local base on full layers": (local_base, (), False),
    "scale of 1/√H": (lambda e: attending(e, lambda m, g: {"scaling": e.config.hidden_size**-0.5}), (), False),
    "√H missing": (lambda e: setting(e.text.embed_tokens, embed_scale=torch.tensor(1.0)), (), False),
    "gain without the 1": (lambda e: weights([n.weight for n in norms(e)], lambda w: w - 1), (), False),
    "heads on the wrong KV head": (wrong_heads, (), False),
    "RoPE halves interleaved": (lambda e: instead(e, "rotate", interleaved), (), False),
    "post-norm skipped": (lambda e: setting(e.text.layers[2].post_attention_layernorm, **SAME), ("layers.2.post_attn_norm",), False),
    "GELU erf": (lambda e: several([setting(layer.mlp.act_fn, forward=torch.nn.functional.gelu) for layer in e.text.layers]), (), False),
    "KV slot off by one": (slot_before, (), True),
    "final norm missing": (lambda e: setting(e.text.norm, **SAME), ("final_norm",), False),
    "soft-cap that is none": (lambda e: attending(e, lambda m, g: {"softcap": 50.0}), (), False),
    "row of a weight transposed": (lambda e: weights([e.text.layers[3].self_attn.o_proj.weight], transposed_row), (), False),
    "f16 overflow": (lambda e: setting(e, overflows=True), (), False),
    "stale cache": (lambda e: attending(e, stale), (), False),
    "wrong eps": (lambda e: several([setting(norm, eps=1e-5) for norm in norms(e)]), (), False),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path, help="folder with config.json and model.safetensors, of a Gemma 3")
    source.add_argument("--gguf", type=Path, help="a .gguf file of a Gemma 3")
    parser.add_argument("--ids", required=True, help="token ids, comma-separated")
    parser.add_argument("--long", type=int, default=0, help="tokens for bugs past the window: the ids over and over; default: these bugs are left out, and said")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    args = parser.parse_args()
    if not (args.gguf or args.model).exists():
        sys.exit(f"{args.gguf or args.model} does not exist; give a model that is there.")
    torch.manual_seed(0)
    model, _ = make_golden.load(args)
    engine = Engine(model.to(getattr(torch, args.dtype)))
    window = engine.config.sliding_window
    if args.long and args.long <= window:
        sys.exit(f"--long {args.long} is within the window of {window} tokens; give more.")
    short = [int(i) for i in args.ids.split(",")]
    long = [short[0], *(short[1:] * args.long)][: args.long]
    args.out.mkdir(parents=True, exist_ok=True)

    def write(name, named, ids):
        path = args.out / f"{name.replace('/', ' ')}.safetensors"
        make_trace.save(path, named, ids)
        return path.name

    first = lambda named: {name: value for name, value in named.items() if ".0." in name or "embed" in name}
    files = {"none": write("none", engine.trace(short), short)}
    if long:
        files["none, long"] = write("none, long", first(engine.trace(long)), long)
    for name, (planted, left_out, past_window) in FAULTS.items():
        if past_window and not long:
            print(f"left out: {name}, which shows past {window} tokens: give --long", file=sys.stderr)
            continue
        with planted(engine):
            named = engine.trace(long if past_window else short, left_out)
        files[name] = write(name, first(named) if past_window else named, long if past_window else short)
    (args.out / "files.json").write_text(json.dumps(files, ensure_ascii=False, indent=1) + "\n")
    print(f"{args.out}: {len(files)} traces")


if __name__ == "__main__":
    main()
