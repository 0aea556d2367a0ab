"""Usage: with_duckdb.py INPUT_DIR OUTPUT_DIR THREADS

Column names and types are given, so that DuckDB skips schema inference. The order of the lines is not preserved, as no
engine has to keep it. Pages are version 1, the default, which every reader supports; version 2 would be a tenth smaller.
Dictionaries larger than the default take three times as long, and omitting Bloom filters makes no difference.
"""

import sys

import duckdb

source, target, threads = sys.argv[1:]

columns = dict.fromkeys(
    "ticket_id created_at updated_at resolved_at severity status category channel market "
    "dealer_id customer_id vin_last6 model_series model_year sla_breached".split(),
    "VARCHAR",
)
columns |= dict.fromkeys(("created_at", "updated_at", "resolved_at"), "TIMESTAMPTZ")
columns |= {"model_year": "INTEGER", "sla_breached": "BOOLEAN"}

engine = duckdb.connect()
engine.execute(f"SET threads = {int(threads)}")
engine.execute("SET preserve_insertion_order = false")
tickets = f"read_json('{source}/*.jsonl', format = 'newline_delimited', columns = {columns})"
engine.execute(f"COPY (FROM {tickets}) TO '{target}' (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (market))")
