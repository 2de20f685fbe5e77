"""Small vocabularies of every kind that SentencePiece and tokenizers write, with the ids they give to strings.

    python golden/make_vocabularies.py --out golden/vocabularies.jsonl            # committed: small tables of replacements
    python golden/make_vocabularies.py --out FILE --strings 3000 --nfkc           # with SentencePiece's own tables too (240 kB each)

A line each: {"name", "reference", "file": "model" | "json", "data": base64, "cases": [{"text", "ids", "back"}]}.
"""
import argparse
import base64
import io
import json
import random
import re
import tempfile
from pathlib import Path

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizer_cases import SAMPLES, strings
from tokenizers import Tokenizer

# From → to, in code points: a small table with one-to-many, many-to-one, and removal.
RULES = "FB01\t66 69\nFF21\t41\nFF22\t42\n65 301\tE9\nE9\t65 301\n200B\t\n3000\t20\nA0\t20\n31 2F 32\tBD\n2460\t28 31 29\n9\t20 20\n"

PLAIN = {"model_type": "bpe", "normalization_rule_name": "identity", "add_dummy_prefix": False, "remove_extra_whitespaces": False}
VARIANTS = {
    "bpe as Gemma's": {**PLAIN, "byte_fallback": True, "user_defined_symbols": ["<u0>", "▁▁", "\n\n", "qu"]},
    "bpe with spaces collapsed and one in front": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity"},
    "bpe with one space in front": {**PLAIN, "add_dummy_prefix": True, "byte_fallback": True},
    "bpe without bytes": {**PLAIN, "user_defined_symbols": ["<sep>"], "unk_surface": " [?] "},
    "bpe with spaces behind words": {"model_type": "bpe", "treat_whitespace_as_suffix": True, "normalization_rule_name": "identity"},
    "bpe with replacements": {**PLAIN, "byte_fallback": True, "rules": True, "user_defined_symbols": ["1/2", "\t"]},
    "bpe with unused pieces": {**PLAIN, "byte_fallback": True, "unused": True},
    "unigram": {"model_type": "unigram", "normalization_rule_name": "identity"},
    "unigram as Gemma's": {**PLAIN, "model_type": "unigram", "byte_fallback": True, "user_defined_symbols": ["<u0>", "▁▁", "the", "qu"]},
    "unigram with replacements": {"model_type": "unigram", "byte_fallback": True, "rules": True, "user_defined_symbols": ["1/2"]},
    "unigram with unused pieces": {**PLAIN, "model_type": "unigram", "byte_fallback": True, "unused": True},
}
NFKC = {
    "bpe nmt_nfkc_cf": {"model_type": "bpe", "normalization_rule_name": "nmt_nfkc_cf"},
    "unigram nmt_nfkc": {"model_type": "unigram", "normalization_rule_name": "nmt_nfkc", "byte_fallback": True},
}


def corpus():
    rng = random.Random(3)
    words = re.findall(r"\S+", " ".join(SAMPLES[:40])) + ["the quick", "queen", "hello", "hollow", "follow", "unusual"]
    return [" ".join(rng.choice(words) for _ in range(8)) for _ in range(4000)]


def train(folder, unused=False, rules=False, **options):
    model = io.BytesIO()
    if rules:
        (folder / "rules.tsv").write_text(RULES)
        options["normalization_rule_tsv"] = str(folder / "rules.tsv")
        options.pop("normalization_rule_name", None)
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()), model_writer=model, vocab_size=420 + 256 * bool(options.get("byte_fallback")), character_coverage=0.98,
        hard_vocab_limit=False, num_threads=1, minloglevel=2, **options,
    )
    proto = pb.ModelProto.FromString(model.getvalue())
    proto.normalizer_spec.ClearField("normalization_rule_tsv")  # where the table was, on this machine
    if not unused:
        return proto.SerializeToString()
    normal = [i for i, p in enumerate(proto.pieces) if p.type == pb.ModelProto.SentencePiece.NORMAL and len(p.piece) > 1]
    for i in normal[::3]:
        proto.pieces[i].type = pb.ModelProto.SentencePiece.UNUSED
    return proto.SerializeToString()


def tokenizer_json(model, prefix, old):
    """What Hugging Face makes of a BPE model: every split of a piece into two pieces, best pieces first."""
    proto = pb.ModelProto.FromString(model)
    kinds = pb.ModelProto.SentencePiece
    vocab = {p.piece: i for i, p in enumerate(proto.pieces)}
    merges = []
    for p in proto.pieces:
        splits = [(p.piece[:i], p.piece[i:]) for i in range(1, len(p.piece)) if p.type == kinds.NORMAL]
        merges += sorted(((-p.score, vocab[a], vocab[b]), a, b) for a, b in splits if a in vocab and b in vocab)
    pairs = [(a, b) for _, a, b in sorted(merges)]
    normalisers = [{"type": "Prepend", "prepend": "▁"}] * prefix + [{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]
    added = [
        {"id": i, "content": p.piece, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": p.type != kinds.USER_DEFINED}
        for i, p in enumerate(proto.pieces) if p.type in (kinds.USER_DEFINED, kinds.CONTROL, kinds.UNKNOWN)
    ]
    decoders = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    decoders += [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] * prefix
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": normalisers} if prefix else normalisers[0],
        "pre_tokenizer": None if prefix else {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        "post_processor": None, "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": True,
            "byte_fallback": True, "vocab": vocab, "merges": [f"{a} {b}" for a, b in pairs] if old else [list(pair) for pair in pairs],
        },
    }, ensure_ascii=old, indent=None if old else 1)


def cases(count, encode, decode):
    out = []
    for text in strings(count, random.Random(11)):
        ids = encode(re.sub("[\ud800-\udfff]", "\ufffd", text))
        out.append({"text": text, "ids": ids, "back": decode(ids)})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strings", type=int, default=170)
    parser.add_argument("--nfkc", action="store_true")
    args = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for variant, options in {**VARIANTS, **(NFKC if args.nfkc else {})}.items():
            model = train(Path(name), **options)
            one = spm.SentencePieceProcessor(model_proto=model)
            data = base64.b64encode(model).decode()
            lines.append({"name": variant, "reference": "sentencepiece", "file": "model", "data": data, "cases": cases(args.strings, one.encode, one.decode)})
    gemma = base64.b64decode(lines[0]["data"])
    for variant, prefix, old in [("tokenizer.json as Gemma's", False, False), ("tokenizer.json as Llama's", True, True)]:
        text = tokenizer_json(gemma, prefix, old)
        hf = Tokenizer.from_str(text)
        listed = cases(args.strings, lambda t: hf.encode(t, add_special_tokens=False).ids, lambda ids: hf.decode(ids, skip_special_tokens=True))
        lines.append({"name": variant, "reference": "tokenizers", "file": "json", "data": base64.b64encode(text.encode()).decode(), "cases": listed})
    args.out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    print(f"{len(lines)} vocabularies of {args.strings} strings in {args.out}, {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
