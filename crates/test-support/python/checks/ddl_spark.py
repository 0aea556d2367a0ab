"""Checks that the DDL in infra/athena_ddl.sql matches the files, by running it on Spark with a Hive metastore.

Usage: ddl_spark.py REPO_DIR DATA_DIR (DATA_DIR holds raw/ and curated/ as `pipeline` makes them)

Spark stands in for Athena, which needs an AWS account: it has the same DDL, MSCK and partitions. The statements run
unchanged, except for features that Spark lacks:

- the two s3:// locations become directories of DATA_DIR;
- Athena's JSON SerDe, which Spark does not ship, becomes Spark's own JSON source, which also fails on a malformed line;
- date_diff('hour', ..) in the view becomes timestampdiff(HOUR, ..).

Partitions and row counts must equal those of the manifest, and 200 sampled tickets those of the JSON-Lines in every field;
the view must return the durations that its comment describes. Before that, sqlglot parses every statement of the DDL and of
queries/*.sql in Athena's dialect, which checks the syntax only and neither types nor functions.
"""

import logging
import os
import random
import re
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import sqlglot
from pyspark.sql import SparkSession

from contract import FIELDS, FILE_FIELDS, TIMES, check, check_same_tickets, manifest, parse_time, raw_tickets

ACCOUNT_ID = "123456789012"
N_SAMPLED = 200
JSON_SERDE = (
    "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nWITH SERDEPROPERTIES ('ignore.malformed.json' = 'false')"
)


def statements(file):
    """Splits a file into statements. Comments are removed first, as they may contain semicolons."""
    text = re.sub(r"^\s*--.*$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def check_syntax(repo):
    # sqlglot only warns of statements that it cannot parse; below they are errors.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    for file in [repo / "infra" / "athena_ddl.sql", repo / "queries" / "sample_queries.sql", repo / "queries" / "dashboard.sql"]:
        single = statements(file)
        for statement in single:
            try:
                tree = sqlglot.parse_one(statement, dialect="athena")
            except sqlglot.errors.ParseError as error:
                check(False, f"{file} has a statement that is not valid in Athena's dialect:\n{statement}\n{error}")
            # sqlglot returns a statement without a grammar as an opaque Command. Of ours, only MSCK has none.
            is_parsed = not isinstance(tree, sqlglot.exp.Command) or statement.startswith("MSCK REPAIR TABLE ")
            check(is_parsed, f"{file} has a statement that sqlglot cannot parse in Athena's dialect:\n{statement}")
        n_together = len(sqlglot.parse(file.read_text(encoding="utf-8"), dialect="athena"))
        check(n_together == len(single), f"{file}: {n_together} statements with comments, {len(single)} without")
        print(f"ok  the {len(single)} statements of {file.name} parse")


def replaced(text, old, new):
    """Replaces a text that must occur exactly once, so that a change of the DDL cannot go unnoticed."""
    check(text.count(old) == 1, f"expected exactly once in the DDL:\n{old}\nin\n{text}")
    return text.replace(old, new)


def for_spark(statement, data_dir):
    """Returns the statement with only the features that Spark lacks replaced."""
    statement = statement.replace("<ACCOUNT_ID>", ACCOUNT_ID)
    if "tickets_raw" in statement:
        statement = replaced(statement, f"s3://bmw-aftersales-raw-{ACCOUNT_ID}/tickets/", f"file://{data_dir}/raw/")
        statement = replaced(statement, JSON_SERDE, "USING JSON\nOPTIONS (mode 'FAILFAST')")
        # Spark uses EXTERNAL for Hive formats only; tables of its own formats are external if they have a location.
        return replaced(statement, "CREATE EXTERNAL TABLE", "CREATE TABLE")
    if statement.startswith("CREATE EXTERNAL TABLE"):
        curated = f"s3://bmw-aftersales-curated-{ACCOUNT_ID}/tickets/"
        return replaced(statement, curated, f"file://{data_dir}/curated/tickets/")
    if "VIEW" in statement:
        return re.sub(r"date_diff\('(\w+)', ", r"timestampdiff(\1, ", statement)
    return statement


def start_spark(scratch):
    # PySpark returns timestamps in Python's local zone.
    os.environ["TZ"] = "UTC"
    time.tzset()
    # The C1 compiler alone (TieredStopAtLevel=1) halves the run time: no code here runs long enough for C2 to pay off.
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": f"{scratch}/warehouse",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={scratch}/metastore;create=true",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={scratch} -XX:TieredStopAtLevel=1 -Duser.timezone=UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # Starting more tasks would cost more than running them.
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]").enableHiveSupport()
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def in_utc(row):
    """Returns a row of the curated table in the form of a raw ticket."""
    ticket = row.asDict()
    return ticket | {field: ticket[field] and ticket[field].replace(tzinfo=timezone.utc) for field in TIMES}


def check_tables(spark, data_dir):
    expected_rows = {market: rows for market, rows in manifest(data_dir / "curated")["markets"].items() if rows > 0}
    partitions = [row[0] for row in spark.sql("SHOW PARTITIONS bmw_aftersales.tickets").collect()]
    expected = sorted(f"market={market}" for market in expected_rows)
    check(sorted(partitions) == expected, f"MSCK found the partitions {partitions}, expected {expected}")
    print(f"ok  MSCK finds the manifest's {len(partitions)} partitions")

    for table in ["tickets", "tickets_raw"]:
        counts = spark.sql(f"SELECT market, COUNT(*) FROM bmw_aftersales.{table} GROUP BY market").collect()
        counts = {market: rows for market, rows in counts}
        check(counts == expected_rows, f"{table} has these rows by market: {counts}, expected {expected_rows}")
        print(f"ok  {table} has the manifest's row count in every market")


def check_sample(spark, data_dir):
    tickets = raw_tickets(data_dir / "raw")
    # A fixed seed, so that a failure is reproducible; the sample covers all markets and weeks.
    chosen = random.Random(1).sample(sorted(tickets), min(N_SAMPLED, len(tickets)))
    tickets = {ticket_id: tickets[ticket_id] for ticket_id in chosen}
    condition = "ticket_id IN ({})".format(", ".join(f"'{ticket_id}'" for ticket_id in chosen))

    curated = spark.sql(f"SELECT * FROM bmw_aftersales.tickets WHERE {condition}")
    check(curated.columns == [*FILE_FIELDS, "market"], f"tickets has the columns {curated.columns}")
    found = {row.ticket_id: in_utc(row) for row in curated.collect()}
    check_same_tickets(found, tickets, "tickets")

    raw = spark.sql(f"SELECT * FROM bmw_aftersales.tickets_raw WHERE {condition}")
    check(raw.columns == FIELDS, f"tickets_raw has the columns {raw.columns}")
    found = {}
    for row in raw.collect():
        times = {field: row[field] and parse_time(row[field]) for field in TIMES}
        found[row.ticket_id] = row.asDict() | times
    check_same_tickets(found, tickets, "tickets_raw")
    print(f"ok  {len(chosen)} tickets of tickets and tickets_raw equal the JSON-Lines")

    # An interval that contains the query's current_timestamp, which is not known exactly.
    earliest = datetime.now(timezone.utc)
    enriched = spark.sql(f"SELECT * FROM bmw_aftersales.tickets_enriched WHERE {condition}").collect()
    latest = datetime.now(timezone.utc)
    durations = ["resolution_hours", "days_open", "hours_since_created"]
    names = list(enriched[0].asDict())
    check(names == FIELDS + durations, f"tickets_enriched has the columns {names}")
    check_same_tickets({row.ticket_id: in_utc(row) for row in enriched}, tickets, "tickets_enriched")
    for row in enriched:
        check_durations(row, tickets[row.ticket_id], earliest, latest)
    print(f"ok  {len(chosen)} tickets of tickets_enriched have the right durations")


def check_durations(row, ticket, earliest, latest):
    def complete(unit):
        """Returns the least and the greatest number of complete units since the ticket was opened."""
        return [int((now - ticket["created_at"]) / unit) for now in (earliest, latest)]

    fewest, most = complete(timedelta(hours=1))
    is_right = fewest <= row.hours_since_created <= most
    if ticket["resolved_at"] is None:
        fewest, most = complete(timedelta(days=1))
        is_right = is_right and row.resolution_hours is None and fewest <= row.days_open <= most
    else:
        hours = (ticket["resolved_at"] - ticket["created_at"]).total_seconds() / 3600
        is_right = is_right and row.resolution_hours == hours and row.days_open is None
    check(is_right, f"tickets_enriched has wrong durations: {row}")


def main(repo, data_dir):
    repo, data_dir = Path(repo).resolve(), Path(data_dir).resolve()
    check_syntax(repo)
    with tempfile.TemporaryDirectory(prefix="ddl-spark-") as scratch:
        spark = start_spark(scratch)
        try:
            ddl = statements(repo / "infra" / "athena_ddl.sql")
            for statement in ddl:
                spark.sql(for_spark(statement, data_dir))
            print(f"ok  all {len(ddl)} statements of the DDL run")
            check_tables(spark, data_dir)
            check_sample(spark, data_dir)
        finally:
            spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
