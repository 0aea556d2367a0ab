"""Usage: with_chdb.py INPUT_DIR OUTPUT_DIR THREADS

ClickHouse's own reader and writer, which take the files' blocks in parallel by default. Without Bloom filters and page indexes,
which no other engine writes unasked: a tenth smaller and a little faster. Larger or smaller blocks, and threads for the
insert, made no difference. ClickHouse can't leave the column it partitions by out of the files; it packs to next to nothing.
"""

import os
import sys

import chdb

source, target, threads = sys.argv[1:]

columns = dict.fromkeys(
    "ticket_id created_at updated_at resolved_at severity status category channel market "
    "dealer_id customer_id vin_last6 model_series model_year sla_breached".split(),
    "String",
)
columns |= {"created_at": "DateTime64(3)", "updated_at": "DateTime64(3)", "resolved_at": "Nullable(DateTime64(3))"}
columns |= {"model_year": "Int32", "sla_breached": "Bool"}
structure = ", ".join(f"{name} {kind}" for name, kind in columns.items())

os.makedirs(target, exist_ok=True)
chdb.query(f"""
    INSERT INTO FUNCTION file('{target}/market={{_partition_id}}/part-0.parquet', 'Parquet', '{structure}')
    PARTITION BY market
    SELECT * FROM file('{source}/*.jsonl', 'JSONEachRow', '{structure}')
    SETTINGS max_threads = {int(threads)},
        date_time_input_format = 'best_effort',
        output_format_parquet_compression_method = 'snappy',
        output_format_parquet_write_bloom_filter = 0,
        output_format_parquet_write_page_index = 0
""")
