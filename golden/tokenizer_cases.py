"""Strings and the ids that Python's sentencepiece and tokenizers give for them, one JSON object a line.

    python golden/tokenizer_cases.py --model golden/atlas/tokenizer.model --count 3000 --out golden/atlas/tokens.jsonl
    python golden/tokenizer_cases.py --gguf gemma-3-270m-q4_k_m.gguf --json tokenizer.json --count 200000 --out cases.jsonl

For a GGUF a SentencePiece model is built from its vocabulary first. Every line: {"text": …, "ids": sentencepiece's, "back": their text}, with
--json also {"hf": tokenizers', "hf_back": their text} where they differ. Lone surrogates are U+FFFD to the references.
"""
import argparse
import itertools
import json
import random
import re
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
    "Ἐν ἀρχῇ ἦν ὁ λόγος", "Ⲁⲛⲟⲕ ⲡⲉ", "𐌰𐌽𐌸𐌰𐍂", "ᚠᛇᚻ᛫ᛒᛦᚦ", "މިއީ ދިވެހި", "ܫܠܡܐ ܥܠܡܐ", "ᠮᠣᠩᠭᠣᠯ", "ꦲꦏ꧀ꦱꦫ", "ᜃᜋᜓᜐ᜔ᜆ", "ଓଡ଼ିଆ ଭାଷା", "ߒߞߏ", "ᏙᎯᏧ ᎠᏓᏅᏙ",
    "Tất cả mọi người sinh ra đều được tự do", "Wszyscy ludzie rodzą się wolni", "すべての人間は、生まれながらにして自由であり", "모든 인간은 태어날 때부터 자유로우며",
    "人人生而自由，在尊严和权利上一律平等。", "सभी मनुष्यों को गौरव और अधिकारों के मामले में", "Все люди рождаются свободными и равными", "يولد جميع الناس أحرارا متساوين",
    "<start_of_turn>user\nHi <end_of_turn>\n<start_of_turn>model\n", "<unused0><mask> [multimodal] <td></table>", "a<eos>b <pad>  <unk>", "\t\t\n\n  \n", " " * 40, "\n" * 40, "▁▁  ▁",
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
        elif kind < 0.72:  # halves of surrogate pairs
            text = "".join(rng.choice(["a", " ", "é", "の"]) + chr(rng.randint(0xD800, 0xDFFF)) + "." for _ in range(rng.randint(1, 5)))
        elif kind < 0.85:  # bytes
            text = bytes(rng.randrange(256) for _ in range(rng.randint(1, 24))).decode("utf-8", "replace")
        else:
            text = "".join(chr(c) for c in (rng.randrange(0x110000) for _ in range(rng.randint(1, 12))) if not 0xD800 <= c < 0xE000)
        yield text


def lines(count, rng, tokenizer, hf):
    """The cases, whole text first, then a megabyte of one letter."""
    for i, text in enumerate(itertools.chain(strings(count, rng), ["a" * 1_000_000] if hf else [])):
        known = re.sub("[\ud800-\udfff]", "\ufffd", text)
        ids = tokenizer.encode(known)
        line = {"text": text, "ids": ids, "back": tokenizer.decode(ids)}
        if hf:
            other = hf.encode(known, add_special_tokens=False).ids
            if other != ids:
                line["hf"] = other
            back = hf.decode(other, skip_special_tokens=True)
            if back != line["back"]:
                line["hf_back"] = back
        yield line
    # Ids in any order, half of them bytes: what a model may say, and few texts have. For sentencepiece alone: where a run of bytes is
    # not all sound, tokenizers gives up the sound characters in it too, which no stream can know beforehand.
    reserved = [i for i in range(tokenizer.vocab_size()) if tokenizer.is_byte(i)]
    for _ in range(count // 20 if hf else 0):
        ids = [rng.choice(reserved) if rng.random() < 0.5 else rng.randrange(tokenizer.vocab_size()) for _ in range(rng.randint(1, 20))]
        yield {"text": None, "ids": ids, "back": tokenizer.decode(ids)}


USER = re.compile(r"<unused\d+>|<mask>|\[multimodal\]")  # control pieces to llama.cpp's converter, user pieces in Google's model


def model_from_gguf(path):
    from gguf import GGUFReader

    reader = GGUFReader(path)
    values = {k: f.contents() for k, f in reader.fields.items() if k.startswith("tokenizer.ggml.")}
    model = pb.ModelProto()
    for piece, score, kind in zip(*(values["tokenizer.ggml." + k] for k in ("tokens", "scores", "token_type"))):
        kind = 4 if kind == 3 and USER.fullmatch(piece) else kind
        model.pieces.add(piece=piece.replace(" ", "\u2581"), score=score, type=kind)
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
    parser.add_argument("--json", type=Path, help="tokenizer.json of the same vocabulary, for the package tokenizers")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if not (args.model or args.gguf).exists():
        sys.exit(f"{args.model or args.gguf} does not exist; give a file that is there.")
    if args.out.exists() and any(args.out.samefile(file) for file in (args.model, args.gguf, args.json) if file):
        sys.exit(f"{args.out} is a file that is read; give another path.")
    tokenizer = model_from_gguf(args.gguf) if args.gguf else spm.SentencePieceProcessor(model_file=str(args.model))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    hf = None
    if args.json:
        from tokenizers import Tokenizer

        hf = Tokenizer.from_file(str(args.json))
    with open(args.out, "w", encoding="utf-8") as out:
        for line in lines(args.count, random.Random(7), tokenizer, hf):
            out.write(json.dumps(line) + "\n")
    print(f"{args.count} cases in {args.out}")


if __name__ == "__main__":
    main()
