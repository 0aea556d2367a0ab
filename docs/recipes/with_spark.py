"""KPI 8, market_by_severity, with Spark: tickets of each severity in each market.

Usage: python with_spark.py [DATA_DIR]        (needs Java 17 or newer)
"""

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

data = Path(sys.argv[1] if len(sys.argv) > 1 else "data")

spark = (
    SparkSession.builder.appName("aftersales")
    .master("local[2]")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .getOrCreate()
)

# Spark finds the partition column `market` in the directory names.
tickets = spark.read.parquet(str(data / "curated" / "tickets"))

severities = [F.count_if(F.col("severity") == name).alias(name.lower()) for name in ("P1", "P2", "P3", "P4")]
answer = tickets.groupBy("market").agg(*severities, F.count("*").alias("tickets")).orderBy(F.desc("tickets"), "market")
answer.show()
rows = [list(row) for row in answer.collect()]
spark.stop()

# The manifest holds the answer that `generate` counted.
manifest = json.loads((data / "curated" / "_manifest.json").read_text())
expected = manifest["expected_answers"]["market_by_severity"]["rows"]
if rows != expected:
    sys.exit(f"Spark gives another answer than the manifest: {expected}")
