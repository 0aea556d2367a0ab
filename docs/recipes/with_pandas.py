"""KPI 2, severity_distribution, with pandas: tickets of each severity, with percentages.

Usage: python with_pandas.py [DATA_DIR]
"""

import json
import sys
from pathlib import Path

import pandas as pd

data = Path(sys.argv[1] if len(sys.argv) > 1 else "data")

# pandas reads the whole directory; `market` comes from the directory names. Read only the columns that you need.
tickets = pd.read_parquet(data / "curated" / "tickets", columns=["severity", "sla_breached"])

answer = tickets.groupby("severity").size().rename("tickets").reset_index()
answer["percentage"] = (answer["tickets"] * 100 / answer["tickets"].sum()).round(2)
print(answer.to_string(index=False))

# The manifest holds the answer that `generate` counted.
manifest = json.loads((data / "curated" / "_manifest.json").read_text())
expected = manifest["expected_answers"]["severity_distribution"]["rows"]
if answer.to_numpy().tolist() != expected:
    sys.exit(f"pandas gives another answer than the manifest: {expected}")
