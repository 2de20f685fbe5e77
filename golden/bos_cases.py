"""What a tokenizer puts in front of a prompt and behind it, and in front of a conversation, as transformers' AutoTokenizer does: tokenizer_config.json's
add_bos_token and add_eos_token, tokenizer.json's post_processor, a GGUF's keys, the texts of bos and eos.

    python golden/bos_cases.py --out golden/bos.json

{"templates": {name: Jinja}, "cases": [{"name", "files": what lies beside config.json, "ids": of PROMPT as it is fed, "chat": {template: ids}}],
"gguf": [{"name", "keys", "ids", "chat"}]}
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import gguf
from added_token_cases import ATLAS, base
from sentencepiece import SentencePieceProcessor
from transformers import AutoTokenizer

PROMPT = "The capital of France is"
TEMPLATES = {
    "no bos": "{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}",
    "bos": "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}",
    "two": "{{ bos_token }}{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}",
    "eos": "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}",
    "a line first": "\n{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}",
    "others": "{{ bos_token }}{{ pad_token }}{{ unk_token }}{{ eos_token }}{% for m in messages %}{{ m.content }}{% endfor %}",
    "is defined": "{% if bos_token is defined %}<{{ bos_token }}>{% else %}none{% endif %}[{{ eos_token }}|{{ sep_token }}]{{ messages[0].content }}",
    "written out": "<bos>{% for m in messages %}{{ m.content }}{% endfor %}",
}


def piece(text, id):
    return [{"SpecialToken": {"id": text, "type_id": 0}}], {text: {"id": text, "ids": [id], "tokens": [text]}}


def processor(front=(), back=()):
    """A TemplateProcessing with tokens in front and behind."""
    made = {"type": "TemplateProcessing", "single": [], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {}}
    for text, id in front:
        one, names = piece(text, id)
        made["single"] += one
        made["special_tokens"] |= names
    made["single"].append({"Sequence": {"id": "A", "type_id": 0}})
    for text, id in back:
        one, names = piece(text, id)
        made["single"] += one
        made["special_tokens"] |= names
    return made


BOS, EOS, TURN = ("<bos>", 2), ("<eos>", 1), ("<end_of_turn>", 5)
LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
ROBERTA = {"type": "RobertaProcessing", "sep": ["<eos>", 1], "cls": ["<bos>", 2], "trim_offsets": True, "add_prefix_space": False}
CASES = {
    # tokenizer.model alone: the keys count
    "model": {"model": True},
    "model, no bos": {"model": True, "tokenizer_config.json": {"add_bos_token": False}},
    "model, bos": {"model": True, "tokenizer_config.json": {"add_bos_token": True}},
    "model, eos": {"model": True, "tokenizer_config.json": {"add_eos_token": True}},
    "model, bos and eos": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "add_eos_token": True}},
    "model, no bos and eos": {"model": True, "tokenizer_config.json": {"add_bos_token": False, "add_eos_token": True}},
    "model, no bos and no eos": {"model": True, "tokenizer_config.json": {"add_bos_token": False, "add_eos_token": False}},
    "model, bos null": {"model": True, "tokenizer_config.json": {"add_bos_token": None}},
    "model, another bos": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "bos_token": "<end_of_turn>"}},
    "model, another eos": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "add_eos_token": True, "eos_token": "<end_of_turn>"}},
    "model, bos_token null": {"model": True, "tokenizer_config.json": {"bos_token": None}},
    "model, bos and bos_token null": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "bos_token": None}},
    "model, eos and eos_token null": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "add_eos_token": True, "eos_token": None}},
    "model, pad and unk null": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "pad_token": None, "unk_token": None}},
    "model, bos as an object": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "bos_token": {"__type": "AddedToken", "content": "<start_of_turn>", "special": True, "lstrip": False, "rstrip": False, "single_word": False, "normalized": False}}},
    "model, bos of special_tokens_map.json": {"model": True, "tokenizer_config.json": {"add_bos_token": True}, "special_tokens_map.json": {"bos_token": "<end_of_turn>"}},
    "model, bos of both small files": {"model": True, "tokenizer_config.json": {"add_bos_token": True, "bos_token": "<start_of_turn>"}, "special_tokens_map.json": {"bos_token": "<end_of_turn>"}},
    "model, bos null in the map": {"model": True, "tokenizer_config.json": {"add_bos_token": True}, "special_tokens_map.json": {"bos_token": None}},
    "model, keys in the map": {"model": True, "special_tokens_map.json": {"add_bos_token": True, "bos_token": "<bos>"}},
    "model, keys in config.json": {"model": True, "config.json": {"add_bos_token": True}},
    # tokenizer.json: its post_processor counts, and the keys do not
    "json, none": {"json": {"post_processor": None}},
    "json, none and keys": {"json": {"post_processor": None}, "tokenizer_config.json": {"add_bos_token": True, "add_eos_token": True}},
    "json, none and no bos": {"json": {"post_processor": None}, "tokenizer_config.json": {"add_bos_token": False}},
    "json, bos": {"json": {"post_processor": processor([BOS])}},
    "json, bos and no bos in the keys": {"json": {"post_processor": processor([BOS])}, "tokenizer_config.json": {"add_bos_token": False, "add_eos_token": True}},
    "json, no bos": {"json": {"post_processor": processor()}},
    "json, no bos and bos in the keys": {"json": {"post_processor": processor()}, "tokenizer_config.json": {"add_bos_token": True}},
    "json, eos": {"json": {"post_processor": processor([BOS], [EOS])}},
    "json, eos alone": {"json": {"post_processor": processor([], [EOS])}},
    "json, another bos": {"json": {"post_processor": processor([TURN])}},
    "json, two in front": {"json": {"post_processor": processor([BOS, TURN], [TURN, EOS])}},
    "json, another id": {"json": {"post_processor": processor([("<bos>", 5)])}},
    "json, bytes": {"json": {"post_processor": LEVEL}},
    "json, a sequence": {"json": {"post_processor": {"type": "Sequence", "processors": [LEVEL, processor([BOS], [EOS])]}}},
    "json, two in a sequence": {"json": {"post_processor": {"type": "Sequence", "processors": [processor([BOS], [EOS]), processor([TURN])]}}},
    "json, an empty sequence": {"json": {"post_processor": {"type": "Sequence", "processors": []}}},
    "json, roberta": {"json": {"post_processor": ROBERTA}},
    "json, bert": {"json": {"post_processor": {"type": "BertProcessing", "sep": ["<eos>", 1], "cls": ["<bos>", 2]}}},
    "json, bos_token null": {"json": {"post_processor": processor([BOS])}, "tokenizer_config.json": {"bos_token": None}},
    "json, no processor, a class of its own": {"json": {"post_processor": None}, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": True}},
    "json, bos, a class of its own": {"json": {"post_processor": processor([BOS], [EOS])}, "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>"}},
    # both files
    "both, bos": {"model": True, "json": {"post_processor": processor([BOS])}},
    "both, no bos": {"model": True, "json": {"post_processor": processor()}},
    "both, no bos and keys": {"model": True, "json": {"post_processor": processor()}, "tokenizer_config.json": {"add_bos_token": True, "add_eos_token": True}},
    "both, eos": {"model": True, "json": {"post_processor": processor([BOS], [EOS])}, "tokenizer_config.json": {"add_bos_token": True, "add_eos_token": False}},
    "both, none and keys": {"model": True, "json": {"post_processor": None}, "tokenizer_config.json": {"add_bos_token": True, "add_eos_token": True}},
}
GGUF = {
    "nothing said": {},
    "bos": {"add_bos_token": True},
    "no bos": {"add_bos_token": False},
    "eos": {"add_eos_token": True},
    "bos and eos": {"add_bos_token": True, "add_eos_token": True},
    "no bos and eos": {"add_bos_token": False, "add_eos_token": True},
    "no eos": {"add_eos_token": False},
    "another bos": {"bos_token_id": 5},
    "another eos": {"eos_token_id": 5, "add_eos_token": True},
    "no id of bos": {"bos_token_id": None},
    "no id of eos": {"eos_token_id": None, "add_eos_token": True},
}


def chats(tokenizer):
    made = {}
    for name, template in TEMPLATES.items():
        made[name] = tokenizer.apply_chat_template([{"role": "user", "content": "The capital"}], chat_template=template, add_generation_prompt=True, return_dict=False)
    return made


def folder_case(folder, files, plain):
    shutil.copy(ATLAS / "config.json", folder)
    for file, content in files.items():
        if file == "model":
            shutil.copy(ATLAS / "tokenizer.model", folder)
        elif file == "json":
            (folder / "tokenizer.json").write_text(json.dumps({**plain, **content}))
        elif file == "config.json":
            (folder / file).write_text(json.dumps({**json.loads((ATLAS / file).read_text()), **content}))
        else:
            (folder / file).write_text(json.dumps(content))
    return AutoTokenizer.from_pretrained(str(folder))


def gguf_case(folder, keys):
    pieces = SentencePieceProcessor(str(ATLAS / "tokenizer.model"))
    writer = gguf.GGUFWriter(str(folder / "a.gguf"), "gemma3")
    for name in ("block_count", "context_length", "embedding_length", "feed_forward_length", "head_count", "head_count_kv", "key_length", "value_length"):
        getattr(writer, f"add_{name}")(1)
    writer.add_layer_norm_rms_eps(1e-6)
    kind = lambda i: 2 if pieces.is_unknown(i) else 3 if pieces.is_control(i) or pieces.id_to_piece(i) in ("<start_of_turn>", "<end_of_turn>") else 6 if pieces.is_byte(i) else 1
    size = pieces.vocab_size()
    writer.add_tokenizer_model("llama")
    writer.add_token_list([pieces.id_to_piece(i) for i in range(size)])
    writer.add_token_scores([pieces.get_score(i) for i in range(size)])
    writer.add_token_types([kind(i) for i in range(size)])
    writer.add_add_space_prefix(False)
    ids = {"bos_token_id": 2, "eos_token_id": 1, "unknown_token_id": 3, **keys}
    for key, value in ids.items():
        if value is not None:
            (writer.add_bool if isinstance(value, bool) else writer.add_uint32)(f"tokenizer.ggml.{key}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return AutoTokenizer.from_pretrained(str(folder), gguf_file="a.gguf")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    plain = base()
    rows = {"cases": [], "gguf": []}
    for group, cases in (("cases", CASES), ("gguf", GGUF)):
        for name, given in cases.items():
            with tempfile.TemporaryDirectory() as folder:
                what = {"files" if group == "cases" else "keys": given}
                try:
                    one = folder_case(Path(folder), given, plain) if group == "cases" else gguf_case(Path(folder), given)
                    rows[group].append({"name": name, **what, "ids": one(PROMPT)["input_ids"], "chat": chats(one)})
                except BaseException as error:  # tokenizers panics
                    print(name, type(error).__name__, str(error)[:300], file=sys.stderr)
                    continue
                print(group, name, rows[group][-1]["ids"], rows[group][-1]["chat"])
    args.out.write_text(json.dumps({"prompt": PROMPT, "templates": TEMPLATES, **rows}, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{len(rows['cases'])} folders and {len(rows['gguf'])} GGUFs in {args.out}, {args.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
