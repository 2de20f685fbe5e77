"""Writes every stage of a Gemma forward pass, as transformers' own code computes it, to a safetensors file.

    python golden/make_golden.py --model golden/atlas --ids 2,300,17 --out g.safetensors
    python golden/make_golden.py --gguf gemma-3-270m-q4_k_m.gguf --ids 2,818,5279 --logits last --out g.safetensors
    python golden/make_golden.py --model golden/atlas --ids 2,300,17,18,19 --chunks 3,1x2 --out g.safetensors

Nothing of the model is written again here: module hooks take what is a module's output or input, and three functions of the
modelling file (apply_rotary_pos_emb, eager_attention_forward and the softmax it calls) are wrapped for what is not.

Stage names and shapes are those of `loupe plan`. With --chunks the ids go through transformers' key/value cache chunk by chunk, and
each stage holds the rows of all chunks one after the other, so that every schedule gives a file of the same form. Score columns
that a chunk did not have are masked (the lowest f32), pattern columns 0.
"""
import argparse
import hashlib
import importlib
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
MASKED = torch.finfo(torch.float32).min


def load(args):
    """The model in f32 with eager attention, and the file its weights are in."""
    if args.gguf:
        folder, name = args.gguf.parent, args.gguf.name
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32, attn_implementation="eager"
        )
        return model.eval(), [args.gguf]
    model = transformers.AutoModelForCausalLM.from_pretrained(
        args.model, dtype=torch.float32, attn_implementation="eager"
    )
    return model.eval(), sorted(args.model.glob("*.safetensors"))


class Recorder:
    """Collects the stages of one chunk at a time; `joined` puts the chunks together."""

    def __init__(self, model):
        self.stages, self.chunk, self.layer = {}, {}, None
        text = model.model if hasattr(model.model, "layers") else model.model.language_model
        module = importlib.import_module(type(text).__module__)
        self.config = text.config
        self.head_dim = self.config.head_dim
        sandwich = hasattr(text.layers[0], "pre_feedforward_layernorm")
        text.layers[0].register_forward_pre_hook(self.pre("embed"), with_kwargs=True)
        for i, layer in enumerate(text.layers):
            attn, mlp, at = layer.self_attn, layer.mlp, f"layers.{i}."
            attn.register_forward_pre_hook(lambda m, a, k, i=i: setattr(self, "layer", i), with_kwargs=True)
            self.out(layer.input_layernorm, at + "input_norm")
            for name, proj in (("q", attn.q_proj), ("k", attn.k_proj), ("v", attn.v_proj)):
                self.out(proj, at + "attn." + name, lambda y: y.view(y.shape[0], -1, self.head_dim))
            if hasattr(attn, "q_norm"):
                for name, norm in (("q_norm", attn.q_norm), ("k_norm", attn.k_norm)):
                    self.out(norm, at + "attn." + name, lambda y: y.transpose(0, 1))
            self.out(attn.o_proj, at + "attn.out")
            if sandwich:
                self.out(layer.post_attention_layernorm, at + "post_attn_norm")
                before, after = layer.pre_feedforward_layernorm, layer.post_feedforward_layernorm
                self.out(after, at + "post_mlp_norm")
            else:
                before = layer.post_attention_layernorm
            before.register_forward_pre_hook(self.pre(at + "resid_mid"), with_kwargs=True)
            self.out(before, at + "pre_mlp_norm")
            self.out(mlp.gate_proj, at + "mlp.gate")
            self.out(mlp.up_proj, at + "mlp.up")
            self.out(mlp.act_fn, at + "mlp.act")
            mlp.down_proj.register_forward_pre_hook(self.pre(at + "mlp.mul"), with_kwargs=True)
            self.out(mlp.down_proj, at + "mlp.down")
            self.out(layer, at + "resid")
        self.out(text.norm, "final_norm")
        self.wrap(module)

    def keep(self, name, value):
        self.chunk[name] = value.detach().to(torch.float32).clone().contiguous()

    def pre(self, name):
        return lambda m, args, kwargs: self.keep(name, (args[0] if args else kwargs["hidden_states"])[0])

    def out(self, module, name, view=lambda y: y):
        def hook(m, args, output):
            self.keep(name, view((output[0] if isinstance(output, tuple) else output)[0]))

        module.register_forward_hook(hook)

    def wrap(self, module):
        rotate, attend = module.apply_rotary_pos_emb, module.eager_attention_forward

        def rotating(q, k, *args, **kwargs):
            q, k = rotate(q, k, *args, **kwargs)
            self.keep(f"layers.{self.layer}.attn.q_rope", q[0].transpose(0, 1))
            self.keep(f"layers.{self.layer}.attn.k_rope", k[0].transpose(0, 1))
            return q, k

        def attending(*args, **kwargs):
            softmax, at = torch.nn.functional.softmax, f"layers.{self.layer}.attn."

            def seen(x, *a, **k):
                self.keep(at + "scores", torch.where(x[0] <= -1e30, MASKED, x[0]))
                return softmax(x, *a, **k)

            torch.nn.functional.softmax = seen
            try:
                mixed, pattern = attend(*args, **kwargs)
            finally:
                torch.nn.functional.softmax = softmax
            self.keep(at + "pattern", pattern[0])
            self.keep(at + "mix", mixed[0])
            return mixed, pattern

        # The class may hold the function through a decorator, so that only the module's own global is replaced.
        module.apply_rotary_pos_emb, module.eager_attention_forward = rotating, attending
        for name in ("ALL_ATTENTION_FUNCTIONS",):
            registry = getattr(module, name)
            registry["eager"] = attending

    def next_chunk(self, keys, total):
        """Takes the chunk that has just run: `keys` positions exist now, of `total` in the end."""
        for name, value in self.chunk.items():
            if name.endswith((".scores", ".pattern")):
                full = torch.full((*value.shape[:2], total), MASKED if name.endswith("scores") else 0.0)
                full[:, :, keys - value.shape[2] : keys] = value  # a sliding cache holds only the last keys
                value = full
            self.stages.setdefault(name, []).append(value)
        self.chunk = {}

    def joined(self):
        axis = lambda name: 1 if name.endswith((".scores", ".pattern")) else 0
        return {name: torch.cat(parts, axis(name)).contiguous() for name, parts in self.stages.items()}


def record(model, ids, chunks, logits="all"):
    """{stage: tensor} for ids read in chunks."""
    recorder, cache, at, rows = Recorder(model), None, 0, []
    with torch.no_grad():
        for size in chunks:
            result = model(torch.tensor([ids[at : at + size]]), past_key_values=cache, use_cache=True)
            cache, at = result.past_key_values, at + size
            rows.append(result.logits[0].float())
            recorder.next_chunk(at, len(ids))
    stages = recorder.joined()
    every = torch.cat(rows)
    stages["logits"] = (every if logits == "all" else every[-1:]).contiguous()
    return stages


def parse_chunks(text, total):
    if not text:
        return [total]
    sizes = []
    for part in text.split(","):
        size, _, times = part.partition("x")
        # "1x12" is twelve chunks of one
        sizes += [int(size)] * (int(times) if times else 1)
    if sum(sizes) != total:
        sys.exit(f"The chunks {text} add up to {sum(sizes)}, but there are {total} ids; make them equal.")
    return sizes


def pieces_of(folder, ids):
    path = folder / "tokenizer.model"
    if not path.exists():
        return None
    import sentencepiece

    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [tokenizer.id_to_piece(i) for i in ids]


def metadata(args, model, files, ids, chunks):
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as stream:
            while block := stream.read(1 << 24):
                digest.update(block)
    text = model.config.get_text_config()
    out = {
        "loupe_golden": "1", "ids": json.dumps(ids), "chunks": json.dumps(chunks), "logits": args.logits,
        "model": (args.gguf or args.model).name, "model_type": text.model_type, "model_sha256": digest.hexdigest(),
        "torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "dtype": "float32",
        "embed_scale": "sqrt(hidden) in float32",
    }
    pieces = pieces_of((args.gguf or args.model).parent if args.gguf else args.model, ids)
    if pieces:
        out["pieces"] = json.dumps(pieces, ensure_ascii=False)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path, help="folder with config.json and model.safetensors")
    source.add_argument("--gguf", type=Path, help="a .gguf file")
    parser.add_argument("--ids", required=True, help="token ids, comma-separated")
    parser.add_argument("--chunks", help="sizes of the chunks, e.g. 20,1x12; default: one chunk")
    parser.add_argument("--logits", choices=["all", "last"], default="all")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    path = args.gguf or args.model
    if not path.exists():
        sys.exit(f"{path} does not exist; give a model that is there.")
    ids = [int(i) for i in args.ids.split(",")]
    chunks = parse_chunks(args.chunks, len(ids))
    own = [path, *(path.parent if args.gguf else path).iterdir()]
    golden = args.out.exists() and args.out.suffix == ".safetensors" and b'"loupe_golden"' in args.out.open("rb").read(1 << 16)
    if args.out.exists() and not golden and any(args.out.samefile(file) for file in own):
        sys.exit(f"{args.out} is a file of the model that is read; give another path.")
    torch.manual_seed(0)
    model, files = load(args)
    stages = record(model, ids, chunks, args.logits)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(sorted(stages.items())), args.out, metadata=metadata(args, model, files, ids, chunks))
    print(f"{args.out}: {len(stages)} stages, {args.out.stat().st_size / 1e6:.1f} MB")
    top = stages["logits"][-1].topk(5)
    print("last logits:", ", ".join(f"{i} {v:.4f}" for v, i in zip(top.values.tolist(), top.indices.tolist())))


if __name__ == "__main__":
    main()
