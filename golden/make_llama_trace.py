"""Writes the activations of llama.cpp's own graph, under its own names, as its evaluation callback gives them: an engine that shares no code with PyTorch or transformers.

    pip install llama-cpp-python numpy
    python golden/make_llama_trace.py --gguf gemma-3-270m-q4_k_m.gguf --ids 2,818,5279,529,7001,563 --out llama.npz

Of values that come under one name more than once the last is kept. Keys and values are read from an f16 cache unless --cache says f32, and matrices of quantised files
are multiplied with activations in 8 bits, as llama.cpp does. `loupe diff --trace llama.npz --model …` judges it.
"""
import argparse
import ctypes
import re
import sys
from pathlib import Path

import numpy
import llama_cpp
from llama_cpp import llama_cpp as api


class Tensor(ctypes.Structure):
    """ggml_tensor, as far as its name."""

    _fields_ = [
        ("type", ctypes.c_int), ("buffer", ctypes.c_void_p), ("ne", ctypes.c_int64 * 4), ("nb", ctypes.c_size_t * 4),
        ("op", ctypes.c_int), ("op_params", ctypes.c_int32 * 16), ("flags", ctypes.c_int32), ("src", ctypes.c_void_p * 10),
        ("view_src", ctypes.c_void_p), ("view_offs", ctypes.c_size_t), ("data", ctypes.c_void_p), ("name", ctypes.c_char * 64),
    ]


WANTED = re.compile(
    r"(inp_scaled|inp_embd|embd|result_norm|result_output|(attn_norm|Qcur|Kcur|Vcur|Qcur_normed|Kcur_normed|kq|kq_soft_max|kqv|kqv_out"
    r"|attn_post_norm|sa_out|ffn_norm|ffn_up|ffn_gate|ffn_gelu|ffn_geglu|ffn_gate_par|ffn_out|ffn_post_norm|l_out)-\d+)"
)
TYPES = {0: numpy.float32, 1: numpy.float16}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--ids", required=True, help="token ids, comma-separated")
    parser.add_argument("--cache", default="f16", choices=["f16", "f32"])
    parser.add_argument("--only", help="a regular expression of their names")
    parser.add_argument("--out", type=Path, required=True, help=".npz")
    args = parser.parse_args()
    ids = [int(i) for i in args.ids.split(",")]
    seen = {}

    @ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.POINTER(Tensor), ctypes.c_bool, ctypes.c_void_p)
    def look(tensor, ask, _):
        t = tensor.contents
        name = t.name.decode()
        wanted = bool(WANTED.fullmatch(name))
        if ask or not wanted or t.type not in TYPES:
            return wanted if ask else True
        dtype = numpy.dtype(TYPES[t.type])
        shape, strides = tuple(reversed(t.ne)), tuple(reversed(t.nb))
        size = sum((n - 1) * s for n, s in zip(shape, strides)) + dtype.itemsize
        raw = numpy.frombuffer(ctypes.string_at(t.data, size), dtype=numpy.uint8)
        values = numpy.ndarray(shape, dtype, raw, strides=strides).copy()
        while values.ndim > 2 and values.shape[0] == 1:
            values = values[0]
        seen[name] = values
        return True

    llama_cpp.llama_backend_init()
    model = api.llama_model_load_from_file(str(args.gguf).encode(), api.llama_model_default_params())
    if not model:
        sys.exit(f"llama.cpp cannot open {args.gguf}.")
    params = api.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch, params.n_threads, params.n_threads_batch = 2048, 2048, 2048, 2, 2
    params.flash_attn_type = 0  # its attention is then its stages
    if args.cache == "f32":
        params.type_k = params.type_v = 0
    params.cb_eval = ctypes.cast(look, api.ggml_backend_sched_eval_callback)
    context = api.llama_init_from_model(model, params)
    batch = api.llama_batch_init(len(ids), 0, 1)
    for i, token in enumerate(ids):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, True
        batch.seq_id[i][0] = 0
    batch.n_tokens = len(ids)
    if api.llama_decode(context, batch) != 0:
        sys.exit("llama.cpp could not run it.")
    named = {name: value for name, value in seen.items() if not args.only or re.fullmatch(args.only, name)}
    numpy.savez(args.out, input_ids=numpy.array(ids), **named)
    print(f"{args.out}: {len(named)} arrays, {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
