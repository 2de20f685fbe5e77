"""Bugs in llama.cpp's run of a Gemma 3, one at a time: it is given a file that is wrong in one place, as a converter or a loader would make it, and everything behind is what it computes itself.

    pip install llama-cpp-python gguf safetensors sentencepiece numpy
    python golden/llama_faults.py --model golden/atlas --ids 2,300,301 --out faults/

Writes a GGUF in f32, what llama.cpp makes of it (make_llama_trace.py, its cache in f32), and the same of each changed file; `files.json` says which trace has which bug, and where it stands.
`loupe diff --trace faults/FILE --model golden/atlas` has to name it. Without a bug it has to name nothing.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
from safetensors.numpy import load_file

PARTS = {
    "input_layernorm": "attn_norm", "post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def name_of(name):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, *part, weight = name.split(".")
    return f"blk.{layer}.{PARTS['.'.join(part)]}.{weight}"


class Model:
    """What a GGUF says, as it can be changed before it is written."""

    def __init__(self, folder):
        config = json.loads((folder / "config.json").read_text())
        self.config, self.heads, self.dim = config, config["num_attention_heads"], config["head_dim"]
        self.weights = {name_of(name): value.astype(np.float32) for name, value in load_file(folder / "model.safetensors").items()}
        for name in self.weights:
            if "norm" in name:
                self.weights[name] = self.weights[name] + 1  # a GGUF has the 1 of a gain within
        rope = config["rope_parameters"]
        self.base, self.local = rope["full_attention"]["rope_theta"], rope["sliding_attention"]["rope_theta"]
        self.window, self.eps, self.factor = config["sliding_window"], config["rms_norm_eps"], None
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))

    def write(self, path):
        config, pieces = self.config, self.pieces
        out = gguf.GGUFWriter(path, "gemma3")
        out.add_context_length(config["max_position_embeddings"])
        out.add_embedding_length(config["hidden_size"])
        out.add_block_count(config["num_hidden_layers"])
        out.add_feed_forward_length(config["intermediate_size"])
        out.add_head_count(self.heads)
        out.add_head_count_kv(config["num_key_value_heads"])
        out.add_key_length(self.dim)
        out.add_value_length(self.dim)
        out.add_layer_norm_rms_eps(self.eps)
        out.add_rope_freq_base(self.base)
        out.add_float32("gemma3.rope.freq_base_swa", self.local)
        out.add_sliding_window(self.window)
        if self.factor:
            out.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            out.add_rope_scaling_factor(self.factor)
        ids = range(pieces.get_piece_size())
        kinds = [(pieces.is_unknown, 2), (pieces.is_control, 3), (pieces.is_byte, 6), (pieces.is_unused, 5)]
        out.add_tokenizer_model("llama")
        out.add_token_list([pieces.id_to_piece(i) for i in ids])
        out.add_token_scores([pieces.get_score(i) for i in ids])
        out.add_token_types([next((kind for holds, kind in kinds if holds(i)), 1) for i in ids])
        out.add_bos_token_id(2)
        out.add_eos_token_id(1)
        out.add_unk_token_id(3)
        out.add_add_space_prefix(False)
        for name, value in self.weights.items():
            out.add_tensor(name, np.ascontiguousarray(value))
        out.write_header_to_file()
        out.write_kv_data_to_file()
        out.write_tensors_to_file()
        out.close()

    # Each bug changes the model and returns the stage at which it stands.

    def window_ignored(self):
        self.window = 1024
        return "layers.0.attn.pattern"

    def window_one_short(self):
        self.window -= 1
        return "layers.0.attn.pattern"

    def local_base_on_full_layers(self):
        self.base = self.local
        return "layers.5.attn.q_rope"

    def full_base_on_sliding_layers(self):
        self.local = self.base
        return "layers.0.attn.q_rope"

    def positions_stretched(self):
        self.factor = 8.0
        return "layers.5.attn.q_rope"

    def scale_of_the_embedding_missing(self):
        self.weights["token_embd.weight"] = self.weights["token_embd.weight"] / np.float32(np.sqrt(self.config["hidden_size"]))
        return "embed"

    def row_of_the_embedding(self):
        self.weights["token_embd.weight"][301] = self.weights["token_embd.weight"][302]
        return "embed"

    def gain_without_the_1(self):
        for name in self.weights:
            if "norm" in name:
                self.weights[name] = self.weights[name] - 1
        return "layers.0.input_norm"

    def wrong_eps(self):
        self.eps = 1e-3
        return "layers.0.input_norm"

    def heads_exchanged(self):
        rows = self.weights["blk.2.attn_q.weight"].reshape(self.heads, self.dim, -1)
        self.weights["blk.2.attn_q.weight"] = rows[[1, 0, *range(2, self.heads)]].reshape(self.heads * self.dim, -1)
        return "from layers.2.input_norm to layers.2.attn.q_norm"  # queries before their norm are not told apart

    def rows_of_interleaved_rope(self):
        """As converters leave them for engines that turn neighbours and not halves."""
        for layer in range(self.config["num_hidden_layers"]):
            name = f"blk.{layer}.attn_q.weight"
            rows = self.weights[name].reshape(self.heads, 2, self.dim // 2, -1)
            self.weights[name] = rows.swapaxes(1, 2).reshape(self.heads * self.dim, -1)
        return "from layers.0.input_norm to layers.0.attn.q_norm"

    def gain_of_queries_missing(self):
        self.weights["blk.1.attn_q_norm.weight"] = np.ones_like(self.weights["blk.1.attn_q_norm.weight"])
        return "from layers.1.input_norm to layers.1.attn.q_norm"

    def matrix_transposed(self):
        self.weights["blk.3.attn_output.weight"] = self.weights["blk.3.attn_output.weight"].T
        return "from layers.3.attn.mix to layers.3.post_attn_norm"  # it does not tell what is between

    def gate_and_up_exchanged(self):
        gate, up = "blk.2.ffn_gate.weight", "blk.2.ffn_up.weight"
        self.weights[gate], self.weights[up] = self.weights[up], self.weights[gate]
        return "layers.2.mlp.gate"

    def gain_of_a_post_norm_missing(self):
        self.weights["blk.2.post_ffw_norm.weight"] = np.ones_like(self.weights["blk.2.post_ffw_norm.weight"])
        return "layers.2.post_mlp_norm"

    def matrix_of_the_layer_before(self):
        self.weights["blk.4.ffn_down.weight"] = self.weights["blk.3.ffn_down.weight"]
        return "layers.4.mlp.down"

    def one_row_of_a_matrix(self):
        self.weights["blk.1.ffn_up.weight"][7] *= 2
        return "layers.1.mlp.up"

    def final_norm_of_another(self):
        self.weights["output_norm.weight"] = self.weights["blk.0.attn_norm.weight"]
        return "final_norm"


FAULTS = [
    "window_ignored", "window_one_short", "local_base_on_full_layers", "full_base_on_sliding_layers", "positions_stretched", "scale_of_the_embedding_missing",
    "row_of_the_embedding", "gain_without_the_1", "wrong_eps", "heads_exchanged", "rows_of_interleaved_rope", "gain_of_queries_missing", "matrix_transposed",
    "gate_and_up_exchanged", "gain_of_a_post_norm_missing", "matrix_of_the_layer_before", "one_row_of_a_matrix", "final_norm_of_another",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a folder of Gemma 3 in f32, as golden/atlas")
    parser.add_argument("--ids", required=True, help="token ids, comma-separated; more than a window, with 301 among them")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    files = {}
    for fault in [None, *FAULTS]:
        model = Model(args.model)
        place = getattr(model, fault)() if fault else None
        name = (fault or "none").replace("_", "-")
        path = args.out / f"{name}.gguf"
        model.write(path)
        out = args.out / f"{name}.npz"
        made = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("make_llama_trace.py")), "--gguf", str(path), "--ids", args.ids, "--cache", "f32", "--out", str(out)],
            capture_output=True, text=True, check=False,
        )
        if made.returncode:
            sys.exit(made.stderr)
        path.unlink()
        files[name] = {"file": out.name, "place": place}
    (args.out / "files.json").write_text(json.dumps(files, indent=1))
    print(f"{len(FAULTS)} bugs in {args.out}")


if __name__ == "__main__":
    main()
