"""Usage: with_polars.py INPUT_DIR OUTPUT_DIR THREADS

Uses the streaming engine, from scan to sink. Timestamps are read as strings and then parsed with an explicit format, which
is ten times faster than reading them as timestamps. Categoricals, other row group sizes, no statistics and no ordering made
no difference.
"""

import os
import sys

source, target, threads = sys.argv[1:]
os.environ["POLARS_MAX_THREADS"] = threads  # read when the library is loaded

import polars as pl

TIMES = ("created_at", "updated_at", "resolved_at")

schema = dict.fromkeys(
    "ticket_id created_at updated_at resolved_at severity status category channel market "
    "dealer_id customer_id vin_last6 model_series".split(),
    pl.String,
)
schema |= {"model_year": pl.Int32, "sla_breached": pl.Boolean}

tickets = pl.scan_ndjson(f"{source}/*.jsonl", schema=schema).with_columns(
    pl.col(time).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ms").dt.replace_time_zone("UTC") for time in TIMES
)
files = pl.PartitionBy(target, key="market", include_key=False)
tickets.sink_parquet(files, compression="snappy", mkdir=True, engine="streaming")
