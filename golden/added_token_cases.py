"""Fine-tunes' vocabularies of atlas, with the ids and texts that transformers' AutoTokenizer gives: what tokenizer.json, added_tokens.json,
tokenizer_config.json and special_tokens_map.json say about added tokens, in every order that people leave them lying.

    python golden/added_token_cases.py --out golden/added_tokens.json

{"base": atlas as tokenizer.json, "cases": [{"name", "files": what lies beside config.json (see `folder` in the test), "rows": of the embedding,
"strings": [{"text", "ids", "back": without special tokens}]}]}
"""
import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer

ATLAS = Path(__file__).parent / "atlas"


def token(content, id=None, **flags):
    made = {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}
    return {k: v for k, v in made.items() if k != "id" or id is not None}


BYTE = 72  # of atlas' <0x41>
THINK = [token("<THINK>", 512), token("</THINK>", 513), token("<tool_call>", 514, special=False)]
FLAGS = [
    token("<L>", 512, lstrip=True), token("<R>", 513, rstrip=True), token("word", 514, single_word=True, special=False),
    token("New York", 515, normalized=True, special=False), token("New Delhi", 516, special=False), token("<LR>", 517, lstrip=True, rstrip=True, single_word=True),
]
TURNS = ["<THINK>hi</THINK>", "hi <tool_call>", "a <THINK> b", "<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n", "<bos>The capital of France is Paris", "<|im_start|>user\nhi<|im_end|>\n"]
EDGES = [
    "a <L> b", "a  <L>b", "<L>", "  <L>", "a<R>  b", "<R>\n\nb", "a word b", "swords word", "words", "_word", "wordword word", "word", "é word-word", "in New York now", "New York", "inNew Yorknow",
    "in New▁York", "New Delhi", "New▁Delhi", "a  <LR>  b", "x<LR>y", "<L><R>  <L>", "<R>  <L>  <R> word", "word <L> word", "<L", "New Yor", " word ", "a\t<L>\n<R>\tb", "a\u3000<L>\u3000b", "<THINK> word</THINK>", "A<0x41>b", "the capital",
]
# name: (files, rows). In "json": added_tokens, and pieces of the vocabulary renamed or left out.
CASES = {
    "tokenizer.json knows three tokens more": ({"model": True, "json": {"added": THINK}}, 515),
    "tokenizer.json alone knows them": ({"json": {"added": THINK}}, 515),
    "added_tokens.json alone": ({"model": True, "added_tokens.json": {"<THINK>": 512, "</THINK>": 513, "<tool_call>": 514}}, 515),
    "added_tokens.json and special_tokens_map.json": ({"model": True, "added_tokens.json": {"<THINK>": 512, "</THINK>": 513, "<tool_call>": 514}, "special_tokens_map.json": {"additional_special_tokens": ["<THINK>", "</THINK>"], "bos_token": "<bos>", "eos_token": {"content": "<end_of_turn>", "lstrip": False, "rstrip": False, "single_word": False, "normalized": False}}}, 515),
    "added_tokens_decoder beside tokenizer.model": ({"model": True, "tokenizer_config.json": {"added_tokens_decoder": {"512": token("<THINK>"), "513": token("</THINK>"), "514": token("<tool_call>", special=False, normalized=True)}, "bos_token": "<bos>"}}, 515),
    "added_tokens_decoder overrules tokenizer.json's flags": ({"model": True, "json": {"added": THINK}, "tokenizer_config.json": {"added_tokens_decoder": {"512": token("<THINK>", special=False), "513": token("</THINK>", lstrip=True), "514": token("<tool_call>")}}}, 515),
    "ChatML put over two pieces, in the vocabulary and the list": ({"model": True, "json": {"rename": {"apit": "<|im_start|>", "apital": "<|im_end|>"}, "added": [token("<|im_start|>", 278), token("<|im_end|>", 279)]}}, 512),
    "ChatML put over two pieces, in the vocabulary alone": ({"model": True, "json": {"rename": {"apit": "<|im_start|>", "apital": "<|im_end|>"}}}, 512),
    "ChatML in the list alone, with the ids of two pieces": ({"model": True, "json": {"added": [token("<|im_start|>", 278), token("<|im_end|>", 279)]}}, 514),
    "ids with a hole before them": ({"json": {"added": [token("<THINK>", 520), token("</THINK>", 530)]}}, 540),
    "an added token that is a piece already": ({"model": True, "json": {"added": [token(" Paris", 1, special=False), token("apital", 279, special=False), token("hi", 3, special=True)]}}, 514),
    "every flag": ({"json": {"added": FLAGS}}, 520),
    "extra_special_tokens of tokenizer_config.json": ({"model": True, "json": {}, "tokenizer_config.json": {"extra_special_tokens": ["<THINK>", "</THINK>"]}}, 515),
    "additional_special_tokens of tokenizer_config.json": ({"model": True, "json": {}, "tokenizer_config.json": {"additional_special_tokens": ["<THINK>", "</THINK>"], "eos_token": "<end_of_turn>"}}, 515),
    "a hole in the vocabulary": ({"json": {"remove": ["▁capital"], "added": [token("<THINK>", 512)]}}, 515),
    "a token by a name of its own": ({"model": True, "tokenizer_config.json": {"image_token": "<THINK>", "image_token_id": 5, "added_token_ids": "<R>", "pad_token": None}}, 515),
    "extra tokens as objects": ({"model": True, "tokenizer_config.json": {"extra_special_tokens": [token("<L>", lstrip=True, __type="AddedToken"), token("<R>", rstrip=True, special=False, __type="AddedToken"), "<THINK>"]}}, 516),
    "extra tokens by name": ({"model": True, "tokenizer_config.json": {"extra_special_tokens": {"image_token": "<THINK>", "boi_token": token("<L>", lstrip=True, __type="AddedToken"), "sep": "</THINK>"}, "audio_token": "<R>"}}, 520),
    "extra tokens by name in special_tokens_map.json": ({"model": True, "special_tokens_map.json": {"extra_special_tokens": {"image_token": "<THINK>"}, "cls_token": "word"}, "added_tokens.json": {"<THINK>": 513, "word": 512}}, 520),
    "a named token as an object": ({"model": True, "json": {}, "tokenizer_config.json": {"sep_token": token("<L>", lstrip=True, __type="AddedToken"), "cls_token": token("word", single_word=True, __type="AddedToken")}}, 516),
    "added_tokens.json out of order, with a named one": ({"model": True, "added_tokens.json": {"<tool_call>": 514, "</THINK>": 513, "<THINK>": 512}, "tokenizer_config.json": {"sep_token": "<THINK>"}}, 515),
    "added_tokens.json, and extra ones in both small files": ({"model": True, "added_tokens.json": {"<THINK>": 512, "</THINK>": 513, "<tool_call>": 514}, "tokenizer_config.json": {"additional_special_tokens": ["<THINK>"]}, "special_tokens_map.json": {"extra_special_tokens": ["</THINK>"]}}, 515),
    "added_tokens.json with words": ({"model": True, "added_tokens.json": {"New York": 512, "New Delhi": 513, "word": 514}}, 515),
    "added_tokens.json with words, one of them named": ({"model": True, "added_tokens.json": {"New York": 512, "word": 513}, "tokenizer_config.json": {"cls_token": "New York"}}, 515),
    "added_tokens_decoder out of order": ({"model": True, "tokenizer_config.json": {"added_tokens_decoder": {"514": token("<tool_call>"), "512": token("<THINK>"), "513": token("</THINK>")}}}, 515),
    "added_tokens_decoder with contents alone": ({"model": True, "tokenizer_config.json": {"added_tokens_decoder": {"512": {"content": "New York"}, "513": {"content": "New Delhi", "special": True}, "514": {"content": "<THINK>", "special": False, "normalized": False}}}}, 515),
    "a token that is not special in the list and named": ({"model": True, "tokenizer_config.json": {"added_tokens_decoder": {"512": token("<THINK>", special=False), "513": token("</THINK>", special=False)}, "eos_token": "<THINK>"}}, 515),
    "one token twice in the list": ({"json": {"added": [token("<THINK>", 512), token("<L>", 513, lstrip=True), token("<THINK>", 514, special=False, rstrip=True)]}}, 516),
    "a byte and a piece of words as tokens": ({"model": True, "json": {"added": [token("<0x41>", BYTE, special=False), token("apital", 279, special=False)]}}, 512),
    "a byte as a token beside the model": ({"model": True, "tokenizer_config.json": {"added_tokens_decoder": {str(BYTE): token("<0x41>", special=False)}}}, 515),
    "special_tokens_map.json says nothing where a decoder is": ({"model": True, "tokenizer_config.json": {"added_tokens_decoder": {"512": token("<THINK>")}}, "special_tokens_map.json": {"additional_special_tokens": ["<tool_call>"]}}, 515),
    "the marks of turns special in the list": ({"model": True, "json": {"special": ["<start_of_turn>", "<end_of_turn>"]}}, 512),
}


def base():
    with tempfile.TemporaryDirectory() as name:
        for file in ("config.json", "tokenizer.model"):
            shutil.copy(ATLAS / file, name)
        AutoTokenizer.from_pretrained(name).save_pretrained(name)
        file = json.loads((Path(name) / "tokenizer.json").read_text())
    file["added_tokens"] = [t for t in file["added_tokens"] if t["content"] != "<mask>"]
    return file


def changed(file, change):
    file = json.loads(json.dumps(file))
    model = file["model"]
    for old, new in change.get("rename", {}).items():
        model["vocab"] = {new if k == old else k: v for k, v in model["vocab"].items()}
    gone = set(change.get("remove", [])) | set(change.get("rename", {}))
    model["vocab"] = {k: v for k, v in model["vocab"].items() if k not in change.get("remove", [])}
    model["merges"] = [m for m in model["merges"] if not gone & {m[0], m[1], m[0] + m[1]}]
    for one in file["added_tokens"]:
        one["special"] = one["special"] or one["content"] in change.get("special", [])
    file["added_tokens"] += change.get("added", [])
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    plain = base()
    cases = []
    for name, (files, rows) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            shutil.copy(ATLAS / "config.json", folder)
            for file, content in files.items():
                if file == "model":
                    shutil.copy(ATLAS / "tokenizer.model", folder)
                elif file == "json":
                    (folder / "tokenizer.json").write_text(json.dumps(changed(plain, content)))
                else:
                    (folder / file).write_text(json.dumps(content))
            one = AutoTokenizer.from_pretrained(str(folder))
            strings = []
            for text in TURNS + EDGES:
                ids = one.encode(text, add_special_tokens=False)
                strings.append({"text": text, "ids": ids, "back": one.decode(ids, skip_special_tokens=True)})
            cases.append({"name": name, "files": files, "rows": rows, "strings": strings})
            print(name, type(one).__name__, len(one), [s["ids"] for s in strings[:6]])
    args.out.write_text(json.dumps({"base": plain, "cases": cases}, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{len(cases)} vocabularies in {args.out}, {args.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
