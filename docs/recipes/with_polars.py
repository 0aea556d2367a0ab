"""KPI 3, sla_breach_rate, with Polars: percentage of missed SLA targets, overall and by severity.

Usage: python with_polars.py [DATA_DIR]
"""

import json
import sys
from pathlib import Path

import polars as pl

data = Path(sys.argv[1] if len(sys.argv) > 1 else "data")

# A lazy scan: Polars reads only the columns and, with a filter on `market`, only the partitions that the query needs.
tickets = pl.scan_parquet(data / "curated" / "tickets", hive_partitioning=True)

counts = [pl.len().alias("tickets"), pl.col("sla_breached").sum().alias("breached")]
overall = tickets.select(pl.lit("All").alias("severity"), *counts)
by_severity = tickets.group_by("severity").agg(counts).sort("severity")
answer = (
    pl.concat([overall, by_severity])
    .with_columns((pl.col("breached") * 100 / pl.col("tickets")).round(2).alias("breach_percentage"))
    .collect()
)
print(answer)

# The manifest holds the answer that `generate` counted.
manifest = json.loads((data / "curated" / "_manifest.json").read_text())
expected = manifest["expected_answers"]["sla_breach_rate"]["rows"]
if [list(row) for row in answer.rows()] != expected:
    sys.exit(f"Polars gives another answer than the manifest: {expected}")
