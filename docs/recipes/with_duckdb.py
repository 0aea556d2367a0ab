"""KPI 1, daily_volume, with DuckDB: tickets opened on each of the last 30 complete days.

Usage: python with_duckdb.py [DATA_DIR]
"""

import json
import sys
from pathlib import Path

import duckdb

data = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
manifest = json.loads((data / "curated" / "_manifest.json").read_text())

# One view over all partitions. DuckDB reads only the columns, partitions and row groups that a query needs.
files = (data / "curated" / "tickets").as_posix() + "/*/*.parquet"
duckdb.execute("SET TimeZone = 'UTC'")
duckdb.read_parquet(files, hive_partitioning=True).create_view("tickets")

# The present is the manifest's, not the clock's.
answer = duckdb.sql(
    """
    SELECT CAST(CAST(created_at AS DATE) AS VARCHAR) AS day, count(*) AS tickets
    FROM tickets
    WHERE created_at >= CAST($today AS DATE) - INTERVAL 30 DAY AND created_at < CAST($today AS DATE)
    GROUP BY day
    ORDER BY day
    """,
    params={"today": manifest["as_of"][:10]},
)
print(answer)

# The manifest holds the answer that `generate` counted.
expected = manifest["expected_answers"]["daily_volume"]["rows"]
if [list(row) for row in answer.fetchall()] != expected:
    sys.exit(f"DuckDB gives another answer than the manifest: {expected}")
