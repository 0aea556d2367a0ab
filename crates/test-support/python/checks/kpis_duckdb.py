"""Checks the ten KPI answers of `query` against independently written SQL on another engine, DuckDB.

Usage: kpis_duckdb.py BIN_DIR DATA_DIR (DATA_DIR holds raw/ and curated/ as `pipeline` makes them)

The SQL below was written from the description of each KPI, not from its SQL. It reads raw/*.jsonl directly and so depends
neither on the Parquet files nor on the embedded engine, and it derives SLA breaches from the timestamps instead of reading
sla_breached. Columns, rows and their order must be equal. The SQL below does not round: where `query` rounds to two
decimals, a difference of up to 0.005 is accepted, so that ties may be rounded either way.
"""

import datetime
import json
import math
import subprocess
import sys
from pathlib import Path

import duckdb

from contract import manifest, raw_files

# Columns that `query` rounds to two decimals.
ROUNDED = ["percentage", "breach_percentage", "mean_hours", "median_hours", "p95_hours"]

TICKETS = """
CREATE TABLE all_tickets AS
SELECT
  * EXCLUDE (created_at, updated_at, resolved_at),
  strptime(created_at, '%Y-%m-%dT%H:%M:%SZ') AS created,
  epoch(created) AS created_seconds,
  epoch(strptime(resolved_at, '%Y-%m-%dT%H:%M:%SZ')) AS resolved_seconds,
  resolved_seconds - created_seconds AS resolution_seconds,
  epoch(getvariable('as_of')) - created_seconds AS age_seconds,
  coalesce(resolution_seconds, age_seconds) > 3600 * (MAP {'P1': 4, 'P2': 8, 'P3': 48, 'P4': 120})[severity] AS is_breached,
  status IN ('Open', 'In Progress', 'Waiting') AS is_open
FROM read_json(getvariable('files'), format = 'newline_delimited', columns = {
  ticket_id: 'VARCHAR', created_at: 'VARCHAR', updated_at: 'VARCHAR', resolved_at: 'VARCHAR', severity: 'VARCHAR',
  status: 'VARCHAR', category: 'VARCHAR', channel: 'VARCHAR', market: 'VARCHAR', dealer_id: 'VARCHAR',
  customer_id: 'VARCHAR', vin_last6: 'VARCHAR', model_series: 'VARCHAR', model_year: 'INTEGER', sla_breached: 'BOOLEAN'
});

-- The exact percentile: the value of rank floor(q * n), counted from 0, of n sorted values. DuckDB's own function interpolates.
CREATE MACRO percentile(seconds, q) AS
  list_sort(list(seconds))[1 + least(floor(q * count(seconds)), count(seconds) - 1)::BIGINT] / 3600.0::DOUBLE;

CREATE MACRO percent(part, whole) AS 100 * part::DOUBLE / whole;
"""

KPIS = {
    "daily_volume": """
        SELECT created::DATE AS day, count() AS tickets
        FROM all_tickets
        WHERE created::DATE BETWEEN getvariable('as_of')::DATE - 30 AND getvariable('as_of')::DATE - 1
        GROUP BY day ORDER BY day""",
    "severity_distribution": """
        SELECT severity, count() AS tickets, percent(tickets, (SELECT count() FROM all_tickets)) AS percentage
        FROM all_tickets GROUP BY severity ORDER BY severity""",
    "sla_breach_rate": """
        WITH counted AS (
          SELECT 'All' AS severity, count() AS tickets, count_if(is_breached) AS breached, 1 AS ordinal FROM all_tickets
          UNION ALL
          SELECT severity, count(), count_if(is_breached), 2 FROM all_tickets GROUP BY severity
        )
        SELECT severity, tickets, breached, percent(breached, tickets) AS breach_percentage
        FROM counted ORDER BY ordinal, severity""",
    "resolution_time_by_severity": """
        SELECT
          severity,
          count() AS resolved_tickets,
          sum(resolution_seconds) / count() / 3600 AS mean_hours,
          percentile(resolution_seconds, 0.5) AS median_hours,
          percentile(resolution_seconds, 0.95) AS p95_hours
        FROM all_tickets WHERE NOT is_open GROUP BY severity ORDER BY severity""",
    "tickets_by_market": """
        SELECT market, count() AS tickets, percent(tickets, (SELECT count() FROM all_tickets)) AS percentage
        FROM all_tickets GROUP BY market ORDER BY tickets DESC, market""",
    "top_categories": """
        SELECT category, count() AS tickets, percent(tickets, (SELECT count() FROM all_tickets)) AS percentage
        FROM all_tickets GROUP BY category ORDER BY tickets DESC, category LIMIT 5""",
    "open_tickets_by_age": """
        WITH open AS (SELECT floor(age_seconds / 86400) AS days FROM all_tickets WHERE is_open),
        buckets (age_bucket, first_day, last_day) AS (
          VALUES ('0-1 days', 0, 1), ('2-3 days', 2, 3), ('4-7 days', 4, 7), ('over 7 days', 8, 1000000)
        )
        SELECT age_bucket, count() AS tickets
        FROM open JOIN buckets ON days BETWEEN first_day AND last_day
        GROUP BY age_bucket, first_day ORDER BY first_day""",
    "market_by_severity": """
        SELECT
          market,
          sum((severity = 'P1')::INT)::BIGINT AS p1,
          sum((severity = 'P2')::INT)::BIGINT AS p2,
          sum((severity = 'P3')::INT)::BIGINT AS p3,
          sum((severity = 'P4')::INT)::BIGINT AS p4,
          count() AS tickets
        FROM all_tickets GROUP BY market ORDER BY tickets DESC, market""",
    "weekly_open_vs_closed": """
        SELECT
          created::DATE - (isodow(created) - 1)::INT AS week,
          count() AS tickets,
          count_if(is_open) AS open_tickets,
          count_if(status IN ('Resolved', 'Closed')) AS closed_tickets
        FROM all_tickets GROUP BY week ORDER BY week""",
    "open_p1_tickets": """
        SELECT
          ticket_id,
          strftime(created, '%Y-%m-%d %H:%M:%S') AS created_at,
          market,
          dealer_id,
          category,
          model_series,
          model_year,
          status,
          floor(age_seconds / 3600)::BIGINT AS hours_since_created,
          is_breached AS sla_breached,
          (SELECT count() FROM all_tickets WHERE severity = 'P1' AND is_open) AS open_p1_total
        FROM all_tickets WHERE severity = 'P1' AND is_open ORDER BY created, ticket_id LIMIT 100""",
}


def is_same(column, found, expected):
    if column in ROUNDED:
        has_two_decimals = isinstance(found, (int, float)) and round(found, 2) == found
        return has_two_decimals and abs(found - expected) <= 0.005 + 1e-9
    if isinstance(expected, float):
        return isinstance(found, (int, float)) and math.isclose(found, expected, rel_tol=1e-9)
    if isinstance(expected, datetime.date):
        expected = expected.isoformat()
    return type(found) is type(expected) and found == expected


def differences(answer, columns, rows):
    """Describes the first differences between an answer and the expected rows; empty if there are none."""
    if answer["columns"] != columns:
        return [f"columns: {answer['columns']}, expected {columns}"]
    found = [[row[column] for column in columns] for row in answer["rows"]]
    lines = [] if len(found) == len(rows) else [f"{len(found)} rows, expected {len(rows)}"]
    for number, (found_row, expected_row) in enumerate(zip(found, rows), start=1):
        if not all(map(is_same, columns, found_row, expected_row)):
            lines.append(f"row {number}: {found_row}\n      expected {list(expected_row)}")
    return lines[:10]


def main(bin_dir, data_dir):
    data_dir = Path(data_dir)
    command = [Path(bin_dir) / "query", "--data", data_dir / "curated", "--format", "json", "--quiet"]
    output = json.loads(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)
    as_of = manifest(data_dir / "raw")["world"]["as_of"]

    engine = duckdb.connect(config={"autoinstall_known_extensions": False})
    engine.execute("SET VARIABLE as_of = strptime(?, '%Y-%m-%dT%H:%M:%SZ')", [as_of])
    engine.execute("SET VARIABLE files = ?", [[str(file) for file in raw_files(data_dir / "raw")]])
    engine.execute(TICKETS)

    failed = False
    if output["as_of"] != as_of:
        print(f"FAILED  as_of is {output['as_of']}, expected {as_of}")
        failed = True
    names = [answer["name"] for answer in output["answers"]]
    if names != list(KPIS):
        sys.exit(f"FAILED  the KPIs are {names}, expected {list(KPIS)}")
    for answer in output["answers"]:
        result = engine.execute(KPIS[answer["name"]])
        lines = differences(answer, [column[0] for column in result.description], result.fetchall())
        print("FAILED " if lines else "ok ", answer["name"])
        for line in lines:
            print("     ", line)
        failed = failed or bool(lines)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
