"""Rows of a sweep in a bucket, beside those of the same one in a folder: python bucket.py ENDPOINT BUCKET/PREFIX FOLDER"""
import json
import sys

import polars
import pyarrow.dataset
from pyarrow.fs import S3FileSystem

endpoint, prefix, folder = sys.argv[1:]
bucket = S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1")
out = {}
for table in ["activations", "ledger"]:
    partitioning = "hive" if table == "activations" else None
    there = pyarrow.dataset.dataset(f"{prefix}/{table}", filesystem=bucket, partitioning=partitioning).to_table()
    here = pyarrow.dataset.dataset(f"{folder}/{table}", partitioning=partitioning).to_table()
    order = [(name, "ascending") for name in ["stage", "prompt", "token"] if name in here.column_names]
    out[table] = [there.num_rows, there.sort_by(order).equals(here.sort_by(order))]
options = {"aws_endpoint_url": f"http://{endpoint}", "aws_allow_http": "true", "aws_region": "us-east-1"}
lazy = polars.scan_parquet(f"s3://{prefix}/activations/**/*.parquet", hive_partitioning=True, storage_options=options)
out["polars"] = lazy.filter(polars.col("stage") == "layers.5.resid").select("prompt", "token", "values").collect().height
json.dump(out, sys.stdout)
