"""Writes the small Parquet files beside it, that `npm run fuzz` changes: prompts in every form of page and compression. Needs pyarrow."""
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
texts = ["The capital of", "un café", "🙂 日本語", "The capital of"]


def write(name, prompts, **options):
    pq.write_table(pa.table({"prompt": prompts}), here / f"{name}.parquet", **options)


write("dictionary", texts, compression="snappy")
write("plain-zstd", texts, compression="zstd", use_dictionary=False, row_group_size=2)
write("gzip-v2", texts, compression="gzip", data_page_version="2.0")
write("brotli", texts, compression="brotli", write_statistics=False)
write("lz4", pa.array(texts, pa.large_string()), compression="lz4", data_page_size=8)
write("bytes-delta", [text.encode() for text in texts], compression="none", use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY")
write("ids", pa.array([[2, 5, 6], [5], [7]], pa.list_(pa.int32())), compression="none")
write("ids-delta", pa.array([[2, 5, 6], [7]], pa.list_(pa.int64())), use_dictionary=False, column_encoding={"prompt.list.element": "DELTA_BINARY_PACKED"})
