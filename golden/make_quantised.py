"""Blocks of every GGUF format that Loupe reads, with the f32 values that the Python package gguf makes of them.

    python golden/make_quantised.py [OUT]

Writes golden/quantised.safetensors: `FORMAT/bytes` (U8) and `FORMAT/values` (F32). The blocks are random bytes with finite scales.
"""
import sys
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize
from safetensors.numpy import save_file

# Places of the f16 scales in a block of each format.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "F16": [0], "BF16": [],
          "Q2_K": [80, 82], "Q3_K": [108], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": []}
BLOCKS = 24


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "quantised.safetensors"
    rng, tensors = np.random.default_rng(5), {}
    for name, scales in SCALES.items():
        kind = GGMLQuantizationType[name]
        _, size = GGML_QUANT_SIZES[kind]
        blocks = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
        for at in scales:
            blocks[:, at : at + 2] = (rng.standard_normal(BLOCKS) * 0.05).astype(np.float16).view(np.uint8).reshape(BLOCKS, 2)
        if name == "BF16":
            blocks = (rng.standard_normal(BLOCKS).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8).reshape(BLOCKS, 2)
        tensors[f"{name}/bytes"] = blocks.reshape(-1)
        tensors[f"{name}/values"] = dequantize(blocks, kind).astype(np.float32).reshape(-1)
    save_file(tensors, out)
    print(out)


if __name__ == "__main__":
    main()
