#!/usr/bin/env bash
# Runs every recipe whose engine PYTHON can import, over the data set in DATA. Fails if one gives another answer than the manifest.
#
#   PYTHON=.venv/bin/python DATA=data docs/recipes/check.sh
#
# REQUIRE="duckdb polars" makes it fail, too, if one of these engines is missing.
set -euo pipefail

recipes=$(cd "$(dirname "$0")" && pwd)
PYTHON=${PYTHON:-python3}
DATA=$(cd "${DATA:-data}" && pwd)
export DATA

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export DBT_DUCKDB_PATH=$scratch/lake.duckdb
n_passed=0
n_failed=0
n_skipped=0

has() { "$PYTHON" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)" 2>/dev/null; }

# check NAME MODULE... -- COMMAND...: runs the command if all modules can be imported.
check() {
  local name=$1 missing=
  shift
  while [ "$1" != -- ]; do
    has "$1" || missing="$missing $1"
    shift
  done
  shift
  printf '\n== %s\n' "$name"
  if [ -n "$missing" ]; then
    echo "skipped: no Python module$missing"
    n_skipped=$((n_skipped + 1))
  elif "$@"; then
    n_passed=$((n_passed + 1))
  else
    echo "FAILED: $name" >&2
    n_failed=$((n_failed + 1))
  fi
}

dbt() {
  "$PYTHON" -c 'from dbt.cli.main import cli; cli()' --quiet "$@" --project-dir "$recipes/dbt" --profiles-dir "$recipes/dbt" \
    --target-path "$scratch/target" --log-path "$scratch/logs"
}

with_dbt() { dbt build && dbt show --select weekly_open_vs_closed --limit 20; }

for module in ${REQUIRE:-}; do
  has "$module" || { echo "there is no Python module $module for $PYTHON" >&2; exit 1; }
done

check pandas pandas pyarrow -- "$PYTHON" "$recipes/with_pandas.py" "$DATA"
check Polars polars -- "$PYTHON" "$recipes/with_polars.py" "$DATA"
check DuckDB duckdb -- "$PYTHON" "$recipes/with_duckdb.py" "$DATA"
check Spark pyspark -- "$PYTHON" "$recipes/with_spark.py" "$DATA"
check dbt dbt.cli dbt.adapters.duckdb -- with_dbt

printf '\n%s passed, %s failed, %s skipped\n' "$n_passed" "$n_failed" "$n_skipped"
[ "$n_passed" -gt 0 ] && [ "$n_failed" -eq 0 ]
