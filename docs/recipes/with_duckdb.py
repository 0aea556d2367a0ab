"""KPI 4, resolution_time_by_severity, with DuckDB: mean, median and 95th percentile of hours to resolution.

Usage: python with_duckdb.py [DATA_DIR]
"""

import json
import sys
from pathlib import Path

import duckdb

data = Path(sys.argv[1] if len(sys.argv) > 1 else "data")

# One view over all partitions. DuckDB reads only the columns, partitions and row groups that a query needs.
files = (data / "curated" / "tickets").as_posix() + "/*/*.parquet"
duckdb.execute("SET TimeZone = 'UTC'")
duckdb.read_parquet(files, hive_partitioning=True).create_view("tickets")

answer = duckdb.sql("""
    WITH resolved AS (
        SELECT severity, epoch(resolved_at - created_at) / 3600 AS hours
        FROM tickets
        WHERE resolved_at IS NOT NULL
    )
    SELECT
        severity,
        count(*) AS resolved_tickets,
        round(avg(hours), 2) AS mean_hours,
        round(quantile_disc(hours, 0.5), 2) AS median_hours,
        round(quantile_disc(hours, 0.95), 2) AS p95_hours
    FROM resolved
    GROUP BY severity
    ORDER BY severity
""")
print(answer)

# The manifest holds the answer that `generate` counted.
manifest = json.loads((data / "curated" / "_manifest.json").read_text())
expected = manifest["expected_answers"]["resolution_time_by_severity"]["rows"]
if [list(row) for row in answer.fetchall()] != expected:
    sys.exit(f"DuckDB gives another answer than the manifest: {expected}")
