"""Executes queries on DuckDB over the tables, registered partitions and views of the Glue catalogue.

A table has exactly the columns that Glue lists and, if it is partitioned, the files at the locations of its registered
partitions. Other objects in the bucket are not visible to a query.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import tempfile
import urllib.parse
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

import iam
import glue_overrides
import s3_overrides
import trino_sql

VIEW_START, VIEW_END = "/* Presto View: ", " */"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"
TEXT = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
# The hidden column of every table: the URL of the row's file.
PATH_COLUMN = "$path"
MAX_OPEN_PARTITIONS = 100
# Parquet types that Athena reads as a declared type, besides the same type.
_COMPATIBLE_TYPES = {
    "BIGINT": {"INTEGER"},
    "DOUBLE": {"FLOAT"},
    "TIMESTAMP": {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"},
}
_NO_COLUMN = re.compile(r'Referenced column "([^"]+)" not found')
# Types that INSERT converts implicitly, by the type of the table's column.
_IMPLICIT_COERCIONS = {
    "smallint": {"tinyint"},
    "integer": {"tinyint", "smallint"},
    "bigint": {"tinyint", "smallint", "integer"},
    "double": {"real", "tinyint", "smallint", "integer", "bigint"},
}


class QueryFailed(Exception):
    """The query failed after Athena started it."""


@dataclass
class Result:
    """The result of a statement."""

    columns: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)  # Trino's names
    rows: list[list[str | None]] = field(default_factory=list)
    scanned: int = 0
    written: int = 0
    manifest: list[str] = field(default_factory=list)


def select(tree: trino_sql.exp.Query, database: str) -> Result:
    """Runs a query. Blocks until it is done."""
    with _Session() as session:
        columns, types, rows = session.run(trino_sql.name_columns(tree), database)
        texts = [[trino_sql.result_text(value) for value in row] for row in rows]
        return Result(columns, types, texts, session.scanned)


def describe(tree: trino_sql.exp.Query, database: str) -> list[tuple[str, str]]:
    """Returns the columns of a query's result, with Trino's type names."""
    with _Session() as session:
        return session.describe(tree, database)


def insert(target: tuple[str, str], tree: trino_sql.exp.Query, database: str, name: str) -> Result:
    """Appends a query's rows to a table: writes new files and registers new partitions."""
    iam.require_glue("GetTable", *target)
    table = _table(*target)
    if table["TableType"] == "VIRTUAL_VIEW":
        raise QueryFailed("NOT_SUPPORTED: Inserting into views is not supported")
    _check_serde(table, writes=True)
    keys = [key["Name"] for key in table["PartitionKeys"]]
    with _Session() as session, tempfile.TemporaryDirectory() as directory:
        columns = _columns(table)
        given = [kind for _, kind in session.describe(tree, database)]
        wanted = [trino_sql.trino_type(kind) for _, kind in columns]
        fits = len(given) == len(wanted) and all(
            kind in (column, "unknown") or kind in _IMPLICIT_COERCIONS.get(column, ()) for kind, column in zip(given, wanted)
        )
        if not fits:
            kinds = f"Table: [{', '.join(wanted)}], Query: [{', '.join(given)}]"
            raise QueryFailed(f"TYPE_MISMATCH: Insert query has mismatched column types: {kinds}")
        rows = session.write(tree, database, [name for name, _ in columns], keys, Path(directory))
        files = sorted(Path(directory).rglob("*.parquet"))
        found = sorted({_values(file.parent.relative_to(directory)) for file in files if rows})
        if len(found) > MAX_OPEN_PARTITIONS:
            text = f"Exceeded limit of {MAX_OPEN_PARTITIONS} open writers for partitions/buckets"
            raise QueryFailed(f"HIVE_TOO_MANY_OPEN_PARTITIONS: {text}")
        answer = Result(["rows"], ["bigint"], scanned=session.scanned, written=rows)
        bucket, prefix = _bucket_and_prefix(table["StorageDescriptor"]["Location"])
        for file in files if rows else []:
            key = f"{prefix}{_directory(file.parent.relative_to(directory))}{name}_{uuid.uuid4()}"
            iam.require("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
            s3_overrides.write(bucket, key, file.read_bytes(), "binary/octet-stream")
            answer.manifest.append(f"s3://{bucket}/{key}")
    if keys and found:
        add_partitions(*target, table, {values: None for values in found})
    return answer


def add_partitions(database: str, name: str, table: dict, locations: dict[tuple[str, ...], str | None]) -> list[str]:
    """Registers partitions that do not exist yet and returns their paths. The default location is key=value/ of the table."""
    keys = [key["Name"] for key in table["PartitionKeys"]]
    existing = {tuple(one["Values"]) for one in glue_overrides.partitions(database, name)}
    storage = table["StorageDescriptor"]
    new = {}
    for values, location in locations.items():
        path = "/".join(f"{key}={urllib.parse.quote(value, safe=' ')}" for key, value in zip(keys, values))
        if values not in existing:
            new[path] = {
                "Values": list(values),
                "StorageDescriptor": {**storage, "Location": location or f"{storage['Location'].rstrip('/')}/{path}"},
                "Parameters": {},
            }
    if new:
        iam.require_glue("BatchCreatePartition", database, name)
    inputs = list(new.values())
    for start in range(0, len(inputs), glue_overrides.MAX_BATCH_CREATE):
        some = inputs[start : start + glue_overrides.MAX_BATCH_CREATE]
        request = {"DatabaseName": database, "TableName": name, "PartitionInputList": some}
        glue_overrides.call(glue_overrides.glue._batch_create_partition, request)
    return list(new)


def partition_directories(table: dict) -> list[tuple[str, ...]]:
    """Lists the partition values of the non-empty key=value/ directories below a table's location."""
    bucket, prefix = _bucket_and_prefix(table["StorageDescriptor"]["Location"])
    keys = [key["Name"] for key in table["PartitionKeys"]]
    pairs = "/".join(f"{re.escape(key)}=([^/]+)" for key in keys)
    found = (re.match(f"{pairs}/", key.removeprefix(prefix)) for key in _objects(bucket, prefix))
    return sorted({tuple(urllib.parse.unquote(value) for value in match.groups()) for match in found if match})


class _Session:
    """A DuckDB connection for one statement, with local copies of the files that it reads."""

    def __init__(self) -> None:
        self.scanned = 0
        self._directory = Path(tempfile.mkdtemp(prefix="athena-"))
        self._defined: set[tuple[str, str]] = set()
        self._engine = duckdb.connect(":memory:")
        for statement in trino_sql.SETUP:
            self._engine.execute(statement)

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_) -> None:
        self._engine.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def run(self, tree: trino_sql.exp.Query, database: str) -> tuple[list[str], list[str], list[tuple]]:
        sql = self._prepare(tree, database)
        described = self._execute(f"DESCRIBE {sql}").fetchall()
        types = [trino_sql.trino_type(kind) for _, kind, *_ in described]
        return [name for name, *_ in described], types, self._execute(sql).fetchall()

    def describe(self, tree: trino_sql.exp.Query, database: str) -> list[tuple[str, str]]:
        rows = self._execute(f"DESCRIBE {self._prepare(tree, database)}").fetchall()
        return [(name, trino_sql.trino_type(kind)) for name, kind, *_ in rows]

    def write(
        self, tree: trino_sql.exp.Query, database: str, columns: list[str], keys: list[str], directory: Path
    ) -> int:
        """Writes the rows as Parquet, one directory per partition. Returns the number of rows."""
        names = ", ".join(f'"{name}"' for name in columns)
        rows = f"SELECT * FROM ({self._prepare(tree, database)}) AS inserted({names})"
        options = "FORMAT parquet, COMPRESSION snappy"
        if keys:
            options += f", PARTITION_BY ({', '.join(keys)})"
        target = directory if keys else directory / "part.parquet"
        return self._execute(f"COPY ({rows}) TO '{target}' ({options})").fetchone()[0]

    def _prepare(self, tree: trino_sql.exp.Query, database: str) -> str:
        """Defines every table and view that the query references, and translates the query to DuckDB."""
        tree = tree.copy()
        reads_path = any(column.name == PATH_COLUMN for column in tree.find_all(trino_sql.exp.Column))
        for name in sorted(trino_sql.resolve_tables(tree, database)):
            self._define(*name, reads_path)
        return trino_sql.to_duckdb(tree)

    def _define(self, database: str, name: str, reads_path: bool) -> None:
        if (database, name) in self._defined:
            return
        self._defined.add((database, name))
        iam.require_glue("GetTable", database, name)
        table = _table(database, name)
        if table["TableType"] == "VIRTUAL_VIEW":
            view = _view(table)
            relation = self._prepare(trino_sql.parse_query(view["originalSql"]), view["schema"])
        else:
            relation = self._table_query(table, reads_path)
        self._execute(f'CREATE SCHEMA IF NOT EXISTS "{database}"')
        self._execute(f'CREATE VIEW "{database}"."{name}" AS {relation}')

    def _table_query(self, table: dict, reads_path: bool) -> str:
        """Returns a query over the table's files. The hidden column is included only if referenced: `*` excludes it."""
        columns = _columns(table)
        keys = [key["Name"] for key in table["PartitionKeys"]]
        _check_serde(table)
        if not keys:
            parts = [self._location_query(table, table["StorageDescriptor"]["Location"], {}, reads_path)]
        else:
            iam.require_glue("GetPartitions", table["DatabaseName"], table["Name"])
            parts = [
                self._location_query(table, one["StorageDescriptor"]["Location"], dict(zip(keys, one["Values"])), reads_path)
                for one in glue_overrides.partitions(table["DatabaseName"], table["Name"])
            ]
        columns += [(PATH_COLUMN, "VARCHAR")] if reads_path else []
        nothing = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns)
        return " UNION ALL ".join([part for part in parts if part] or [f"SELECT {nothing} WHERE false"])

    def _location_query(self, table: dict, location: str, values: dict[str, str], reads_path: bool) -> str:
        """Returns a query over the files at one location, or an empty string if there are none."""
        bucket, prefix = _bucket_and_prefix(location)
        files = {}
        for key, size in _objects(bucket, prefix).items():
            iam.require("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
            self.scanned += size
            # DuckDB detects compression by the file name.
            file = self._directory / f"{uuid.uuid4()}{'.gz' if key.endswith('.gz') else ''}"
            files[file] = f"s3://{bucket}/{key}"
            content = s3_overrides.read(bucket, key)
            # DuckDB rejects text that is not UTF-8.
            file.write_bytes(content.decode(errors="replace").encode() if _serde(table) == TEXT else content)
            if _serde(table) == PARQUET:
                self._check_types(table, file, files[file])
        if not reads_path:
            return self._file_query(table, list(files), values) if files else ""
        each = (f"SELECT *, {_quote(path)} AS \"{PATH_COLUMN}\" FROM ({self._file_query(table, [file], values)})"
                for file, path in files.items())
        return " UNION ALL ".join(each)

    @staticmethod
    def _file_query(table: dict, files: list[Path], values: dict[str, str]) -> str:
        """Returns a query over some files of one partition, or of an unpartitioned table."""
        stored = [(name, kind) for name, kind in _columns(table) if name not in values]
        paths = ", ".join(f"'{file}'" for file in files)
        chosen = [f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in stored]
        chosen += [
            f'CAST({_quote(values[name])} AS {kind}) AS "{name}"' for name, kind in _columns(table) if name in values
        ]
        if _serde(table) == JSON:
            kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in stored)
            source = f"read_json([{paths}], format = 'newline_delimited', columns = {{{kinds}}})"
        elif _serde(table) == TEXT:
            # Text after the separator belongs to no column.
            lines = r"regexp_split_to_array(regexp_replace(content, '(\r\n|\n|\r)$', ''), '\r\n|\n|\r')"
            line = rf"nullif(split_part(unnest({lines}), chr(1), 1), '\N')"
            source = f'(SELECT {line} AS "{stored[0][0]}" FROM read_text([{paths}]))'
        else:
            # An empty first branch with all columns makes columns that a file lacks NULL.
            shape = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in stored)
            source = f"(SELECT {shape} WHERE false UNION ALL BY NAME "
            source += f"SELECT * FROM read_parquet([{paths}], union_by_name = true, hive_partitioning = false))"
        return f"SELECT {', '.join(chosen)} FROM {source}"

    def _check_types(self, table: dict, file: Path, address: str) -> None:
        """Fails if a file's types are incompatible with the table's; Athena does not convert them."""
        declared = dict(_columns(table))
        for name, kind, *_ in self._execute(f"DESCRIBE SELECT * FROM read_parquet('{file}')").fetchall():
            wanted = declared.get(name.lower(), kind)
            if kind != wanted and kind not in _COMPATIBLE_TYPES.get(wanted, ()):
                text = f"Field {name}'s type {kind} in parquet file {address} is incompatible with type {wanted}"
                raise QueryFailed(f"HIVE_BAD_DATA: {text} defined in table schema")

    def _execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._engine.execute(sql)
        except duckdb.Error as error:
            text = str(error).splitlines()[0]
            if column := _NO_COLUMN.search(text):
                text = f"COLUMN_NOT_FOUND: line 1:1: Column '{column[1]}' cannot be resolved"
            elif "DIVISION_BY_ZERO" in text:
                text = "DIVISION_BY_ZERO: Division by zero"
            elif "Malformed JSON" in text:
                text = f"HIVE_CURSOR_ERROR: Row is not a valid JSON Object ({text})"
            raise QueryFailed(text) from error


def _table(database: str, name: str) -> dict:
    table = glue_overrides.table(database, name)
    if database not in glue_overrides.glue._databases:
        raise QueryFailed(f"SCHEMA_NOT_FOUND: line 1:1: Schema '{database}' does not exist")
    if table is None:
        raise QueryFailed(f"TABLE_NOT_FOUND: line 1:1: Table '{trino_sql.CATALOG}.{database}.{name}' does not exist")
    return table


def _view(table: dict) -> dict:
    text = table.get("ViewOriginalText") or ""
    if not (text.startswith(VIEW_START) and text.endswith(VIEW_END)):
        raise QueryFailed(f"INVALID_VIEW: {table['DatabaseName']}.{table['Name']} was not created by Athena")
    return json.loads(base64.b64decode(text.removeprefix(VIEW_START).removesuffix(VIEW_END)))


def _columns(table: dict) -> list[tuple[str, str]]:
    """Returns column names with DuckDB types, partition keys last."""
    columns = table["StorageDescriptor"]["Columns"] + table["PartitionKeys"]
    return [(column["Name"], trino_sql.duckdb_type(column["Type"])) for column in columns]


def _quote(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _serde(table: dict) -> str | None:
    return (table["StorageDescriptor"].get("SerdeInfo") or {}).get("SerializationLibrary")


def _check_serde(table: dict, writes: bool = False) -> None:
    serde = _serde(table)
    if serde not in ([PARQUET] if writes else [PARQUET, JSON, TEXT]):
        raise QueryFailed(f"NOT_SUPPORTED: {serde} (not supported by the emulator)")


def _bucket_and_prefix(location: str) -> tuple[str, str]:
    bucket, prefix = s3_overrides.bucket_and_key(location)
    return bucket, f"{prefix.rstrip('/')}/" if prefix else ""


def _objects(bucket: str, prefix: str) -> dict[str, int]:
    """Lists the objects that Athena reads below a prefix: none that are empty or have a name starting with _ or a dot."""
    iam.require("s3:ListBucket", f"arn:aws:s3:::{bucket}", context={"s3:prefix": prefix})
    try:
        found = s3_overrides.sizes(bucket, prefix)
    except s3_overrides.S3Error as error:
        raise QueryFailed(f"HIVE_METASTORE_ERROR: {error} (s3://{bucket}/{prefix})") from error
    names = {key: key.removeprefix(prefix).split("/") for key in found}
    return {key: size for key, size in found.items() if size and not any(name[:1] in ("_", ".") for name in names[key])}


def _values(directory: Path) -> tuple[str, ...]:
    return tuple(urllib.parse.unquote(part.partition("=")[2]) for part in directory.parts)


def _directory(directory: Path) -> str:
    return "".join(f"{part}/" for part in directory.parts)
