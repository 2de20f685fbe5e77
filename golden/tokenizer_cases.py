"""Strings and the ids that Python's sentencepiece gives for them, one JSON object a line.

    python golden/tokenizer_cases.py --model golden/atlas/tokenizer.model --count 3000 --out golden/tokenizer/atlas.jsonl
    python golden/tokenizer_cases.py --gguf gemma-3-270m-q4_k_m.gguf --count 200000 --out cases.jsonl

For a GGUF a SentencePiece model is built from its vocabulary first. Every line: {"text": …, "ids": […], "back": decoded text}.
"""
import argparse
import json
import random
import sys
from pathlib import Path

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb

SAMPLES = [
    "The capital of France is Paris.", "Die Würde des Menschen ist unantastbar.", "L'été, où êtes-vous ?", "¿Dónde está la biblioteca?",
    "Быстрая лиса прыгает.", "Η γρήγορη αλεπού", "השועל המהיר", "الثعلب السريع", "तेज़ लोमड़ी", "দ্রুত শিয়াল", "வேகமான நரி", "จิ้งจอกเร็ว",
    "速い狐は犬を飛び越える", "敏捷的狐狸跳过懒狗", "빠른 여우", "ፈጣን ቀበሮ", "სწრაფი მელა", "արագ աղվես", "ရိုးရိုး", "ស្រុកខ្មែរ", "ລາວ", "བོད་ཡིག",
    "ᏣᎳᎩ", "ᐃᓄᒃᑎᑐᑦ", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "ગુજરાતી", "ਪੰਜਾਬੀ", "ಕನ್ನಡ", "తెలుగు", "മലയാളം", "සිංහල", "Việt Nam", "İstanbul", "žluťoučký kůň",
    "def f(x):\n\treturn x ** 2  # squared\n", "<div class=\"a\">&amp;</div>", "for (let i = 0; i < n; i++) { a[i] += 0x1F; }", "SELECT * FROM t WHERE a='b';",
    "👩‍👩‍👧‍👦 👍🏽 🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "e\u0301 a\u0308\u0323 \u200b\u200d\ufeff", "\u0000\u0001\u007f\u0085", "\ue000\uf8ff\U000f0000\U0010ffff", "  two  spaces   three    four",
    "\n\n\n\n", "\t\t x \t", "1234567890 3.14159 1,000,000", "<bos><eos><start_of_turn>user\nhi<end_of_turn>\n", "▁already▁marked", "<0x0A><0xFF>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "e\u0301", "ﬁ ﬂ ＡＢＣ ①", "ℌ𝔢𝔩𝔩𝔬 𝒲", "\u2028\u2029\u00a0\u3000", "", " ", "\ufffd", "𐍈𐎠𐏐",
]
ALPHABETS = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x139F), (0x3040, 0x30FF),
             (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1FAFF), (0x300, 0x36F), (0x2000, 0x206F), (0xE000, 0xE0FF), (0x0, 0x1F)]


def strings(count, rng):
    yield from SAMPLES
    for _ in range(count - len(SAMPLES)):
        kind = rng.random()
        if kind < 0.35:  # parts of the samples, glued
            text = ""
            for _ in range(rng.randint(1, 4)):
                s = rng.choice(SAMPLES)
                i = rng.randint(0, len(s))
                text += s[i : i + rng.randint(1, 30)] + rng.choice(["", " ", "  ", "\n"])
        elif kind < 0.6:  # words of one script
            low, high = rng.choice(ALPHABETS)
            text = " ".join("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 8))) for _ in range(rng.randint(1, 8)))
        elif kind < 0.7:  # repeats
            text = rng.choice(["a", "ab", " ", "\n", "=", "é", "の", "👍", "<0x41>", "\t"]) * rng.randint(1, 60)
        elif kind < 0.85:  # bytes
            text = bytes(rng.randrange(256) for _ in range(rng.randint(1, 24))).decode("utf-8", "replace")
        else:
            text = "".join(chr(c) for c in (rng.randrange(0x110000) for _ in range(rng.randint(1, 12))) if not 0xD800 <= c < 0xE000)
        yield text


def model_from_gguf(path):
    from gguf import GGUFReader

    reader = GGUFReader(path)
    values = {k: f.contents() for k, f in reader.fields.items() if k.startswith("tokenizer.ggml.")}
    model = pb.ModelProto()
    for piece, score, kind in zip(*(values["tokenizer.ggml." + k] for k in ("tokens", "scores", "token_type"))):
        model.pieces.add(piece=piece, score=score, type=kind)
    spec = model.trainer_spec
    spec.model_type, spec.byte_fallback, spec.vocab_size = pb.TrainerSpec.BPE, True, len(model.pieces)
    spec.bos_id, spec.eos_id, spec.unk_id, spec.pad_id = 2, 1, 3, 0
    norm = model.normalizer_spec
    norm.name, norm.add_dummy_prefix, norm.remove_extra_whitespaces, norm.escape_whitespaces = "identity", False, False, True
    return spm.SentencePieceProcessor(model_proto=model.SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path)
    source.add_argument("--gguf", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if not (args.model or args.gguf).exists():
        sys.exit(f"{args.model or args.gguf} does not exist; give a file that is there.")
    tokenizer = model_from_gguf(args.gguf) if args.gguf else spm.SentencePieceProcessor(model_file=str(args.model))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with open(args.out, "w", encoding="utf-8") as out:
        for text in strings(args.count, random.Random(7)):
            ids = tokenizer.encode(text)
            out.write(json.dumps({"text": text, "ids": ids, "back": tokenizer.decode(ids)}) + "\n")
    print(f"{args.count} cases in {args.out}")


if __name__ == "__main__":
    main()
