"""Summarises a directory of curated tickets, so that the outputs of different tools can be compared.

Usage: contents.py DIR [--rows]

Prints JSON: the rows, the uncompressed bytes of all columns, and for each market (from the directory's name) its rows and a
sum of each column that does not depend on the order of the rows. Times and numbers are added, texts by their CRC-32; nulls
are counted. With --rows it prints only the rows, from the files' footers.
"""

import json
import sys
import zlib
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TEXTS = "ticket_id severity status category channel dealer_id customer_id vin_last6 model_series".split()
TIMES = "created_at updated_at resolved_at".split()
NUMBERS = "model_year sla_breached".split()


def total(column):
    # Adds the sums of the chunks as Python integers, which do not overflow.
    return sum(pc.sum(chunk.cast(pa.int64())).as_py() or 0 for chunk in column.chunks)


def text_total(column):
    counted = pc.value_counts(column.cast(pa.large_string()))
    values, counts = counted.field("values"), counted.field("counts")
    return sum(zlib.crc32(text.encode()) * n for text, n in zip(values.to_pylist(), counts.to_pylist()) if text is not None)


def columns(path):
    parquet = pq.ParquetFile(path)
    for name in TEXTS + TIMES + NUMBERS:
        column = parquet.read([name]).column(name)
        yield f"{name} nulls", column.null_count
        if name in TEXTS:
            yield name, text_total(column)
        elif name in TIMES:
            yield name, total(column.cast(pa.timestamp("ms", "UTC")))
        else:
            yield name, total(column)


def uncompressed(footer):
    groups = (footer.row_group(i) for i in range(footer.num_row_groups))
    return sum(group.column(i).total_uncompressed_size for group in groups for i in range(group.num_columns))


files = sorted(Path(sys.argv[1]).glob("market=*/*.parquet"))
footers = {path: pq.read_metadata(path) for path in files}
summary = {"rows": sum(footer.num_rows for footer in footers.values())}
if "--rows" not in sys.argv:
    summary["uncompressed_bytes"] = sum(map(uncompressed, footers.values()))
    markets = defaultdict(Counter)
    for path, footer in footers.items():
        markets[path.parent.name.removeprefix("market=")].update({"rows": footer.num_rows} | dict(columns(path)))
    summary["markets"] = markets
print(json.dumps(summary))
