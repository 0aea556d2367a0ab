"""Checks that the curated Parquet files contain exactly the raw tickets, in a layout that Athena engine version 3 reads well.

Usage: parquet_readers.py BIN_DIR DATA_DIR (DATA_DIR holds raw/ and curated/ as `pipeline` makes them)

Two independent readers, Apache Arrow C++ and DuckDB, read curated/tickets as a partitioned data set; each must return every
field of every ticket as Python's json module reads it from raw/*.jsonl. Then the files are checked: physical and logical
type of each column, compression, pages, indexes and statistics, and the rows and bytes that the manifest states. BIN_DIR is
unused; it keeps the arguments the same as those of the other checks.
"""

import json
import sys
from datetime import timezone
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

from contract import FIELDS, FILE_FIELDS, TIMES, check, check_same_tickets, manifest, raw_tickets

STRING = ("BYTE_ARRAY", {"Type": "String"})
TIME = ("INT64", {"Type": "Timestamp", "isAdjustedToUTC": True, "timeUnit": "milliseconds"})
TYPES = {field: STRING for field in FILE_FIELDS} | {field: TIME for field in TIMES}
TYPES |= {"model_year": ("INT32", {"Type": "None"}), "sla_breached": ("BOOLEAN", {"Type": "None"})}

# The encodings that Trino reads in version 1 pages for these types. It reads BYTE_STREAM_SPLIT for floating-point only.
ENCODINGS = {
    "PLAIN", "RLE", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
}

# The first bytes of a version 1 data page header in Thrift's compact protocol: field 1, the page type, is the i32 0. In
# version 2 it is the i32 3, b"\x15\x06".
V1_PAGE_HEADER = b"\x15\x00"


def read_with_arrow(tickets_dir):
    partitioning = pa.dataset.partitioning(pa.schema([("market", pa.string())]), flavor="hive")
    table = pa.dataset.dataset(tickets_dir, format="parquet", partitioning=partitioning).to_table()
    types = {"model_year": pa.int32(), "sla_breached": pa.bool_()} | {f: pa.timestamp("ms", "UTC") for f in TIMES}
    for field in FIELDS:
        found, expected = table.schema.field(field).type, types.get(field, pa.string())
        check(found == expected, f"Arrow reads {field} as {found}, expected {expected}")
    return table.to_pylist()


def read_with_duckdb(tickets_dir):
    engine = duckdb.connect(config={"autoinstall_known_extensions": False})
    # Converts to UTC without a zone: fetching zoned timestamps would need pytz.
    times = ", ".join(f"timezone('UTC', {field}) AS {field}" for field in TIMES)
    files = str(tickets_dir / "*" / "*.parquet")
    relation = engine.execute(
        f"SELECT * REPLACE ({times}) FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)", [files]
    )
    columns = [column[0] for column in relation.description]
    rows = [dict(zip(columns, row)) for row in relation.fetchall()]
    for row in rows:
        row |= {field: row[field] and row[field].replace(tzinfo=timezone.utc) for field in TIMES}
    return rows


def by_ticket_id(rows, where):
    tickets = {row["ticket_id"]: row for row in rows}
    check(len(tickets) == len(rows), f"{where}: {len(rows)} rows, but only {len(tickets)} distinct ticket_ids")
    return tickets


def check_schema(file, metadata):
    names = [metadata.schema.column(i).name for i in range(metadata.num_columns)]
    check(names == FILE_FIELDS, f"{file}: the columns are {names}, expected {FILE_FIELDS}")
    for i, field in enumerate(FILE_FIELDS):
        column = metadata.schema.column(i)
        logical = json.loads(column.logical_type.to_json())
        physical_expected, logical_expected = TYPES[field]
        is_expected = column.physical_type == physical_expected and logical_expected.items() <= logical.items()
        check(is_expected, f"{file}: {field} is {column.physical_type} {logical}, expected {TYPES[field]}")
        is_nullable = column.max_definition_level == 1
        check(is_nullable == (field == "resolved_at"), f"{file}: {field} has nullability {is_nullable}")


def check_layout(file, metadata):
    content = file.read_bytes()
    for group in range(metadata.num_row_groups):
        for i, field in enumerate(FILE_FIELDS):
            chunk = metadata.row_group(group).column(i)
            where = f"{file}: {field} in row group {group}"
            check(chunk.compression == "SNAPPY", f"{where}: the compression is {chunk.compression}, expected SNAPPY")
            check(chunk.has_column_index and chunk.has_offset_index, f"{where}: the page index is missing")
            check(chunk.is_stats_set, f"{where}: the statistics are missing")
            unsupported = set(chunk.encodings) - ENCODINGS
            check(not unsupported, f"{where}: the encoding {unsupported} is not supported by every reader")
            page = content[chunk.data_page_offset :][: len(V1_PAGE_HEADER)]
            check(page == V1_PAGE_HEADER, f"{where}: the first data page is not version 1")


def check_files(data_dir):
    """Checks that the files are exactly those of the manifest, with the rows, bytes and layout expected."""
    curated = data_dir / "curated"
    curated_manifest = manifest(curated)
    found = sorted(str(file.relative_to(curated)) for file in (curated / "tickets").rglob("*") if file.is_file())
    names = sorted(entry["name"] for entry in curated_manifest["files"])
    check(found == names, f"the files are {found}, in the manifest {names}")
    rows_by_market = {}
    for entry in curated_manifest["files"]:
        file = curated / entry["name"]
        metadata = pa.parquet.read_metadata(file)
        check(file.stat().st_size == entry["bytes"], f"{file}: {file.stat().st_size} bytes, manifest: {entry['bytes']}")
        check(metadata.num_rows == entry["rows"], f"{file}: {metadata.num_rows} rows, manifest: {entry['rows']}")
        check_schema(file, metadata)
        check_layout(file, metadata)
        market = file.parent.name.removeprefix("market=")
        rows_by_market[market] = rows_by_market.get(market, 0) + metadata.num_rows
    raw = manifest(data_dir / "raw")
    for markets, where in [(curated_manifest["markets"], "curated"), (raw["markets"], "raw")]:
        # A market without tickets has no partition.
        markets = {market: rows for market, rows in markets.items() if rows > 0}
        check(rows_by_market == markets, f"rows by market are {rows_by_market}, in the {where} manifest {markets}")
    rows = {"read": raw["rows"], "written": raw["rows"], "quarantined": 0}
    check(curated_manifest["rows"] == rows, f"the manifest's rows are {curated_manifest['rows']}, expected {rows}")


def main(_bin_dir, data_dir):
    data_dir = Path(data_dir)
    tickets_dir = data_dir / "curated" / "tickets"
    expected = raw_tickets(data_dir / "raw")
    for name, read in [("Arrow", read_with_arrow), ("DuckDB", read_with_duckdb)]:
        check_same_tickets(by_ticket_id(read(tickets_dir), name), expected, name)
        print(f"ok  {name} reads the same {len(expected)} tickets as in JSON-Lines")
    check_files(data_dir)
    print("ok  types, compression, pages, indexes, rows and bytes of the files")


if __name__ == "__main__":
    main(*sys.argv[1:])
