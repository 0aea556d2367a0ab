"""Athena's DDL statements, executed on the Glue catalogue.

One function per statement. `parse` rejects statements that Athena would not start; the function that it returns executes the
statement and fails where Athena fails. Athena parses statements on views with Trino's grammar and all others with Hive's,
which has no comments.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

from ministack.services import athena, glue

import iam
import athena_query
import glue_overrides
import s3_overrides
import trino_sql
from athena_query import QueryFailed

_TASK = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
# Executes a statement, given the database of unqualified names, and returns lines of output.
Run = Callable[[str], list[str]]


def parse(text: str) -> Run | None:
    """Parses a DDL statement. Returns the function that executes it, or None if the text is not DDL."""
    for words, reader in _READERS.items():
        cursor = athena._Cursor(text)
        if cursor.keywords(*words):
            if not words[-1] == "view" and _has_comment(cursor):
                raise trino_sql.SqlError("mismatched input '--'. Comments are not supported in DDL")
            run = reader(cursor)
            if not cursor.at_end():
                raise trino_sql.SqlError(f"extraneous input '{cursor.peek()[1]}'")
            return run
    return None


def _has_comment(cursor: athena._Cursor) -> bool:
    ends = [0, *(token[3] for token in cursor.tokens)]
    starts = [*(token[2] for token in cursor.tokens), len(cursor.text)]
    return any(cursor.text[end:start].strip() for end, start in zip(ends, starts))


def _create_database(cursor: athena._Cursor) -> Run:
    if_not_exists = cursor.keywords("if", "not", "exists")
    request = {"Name": _name(cursor, 1)[0]}
    if cursor.keywords("comment"):
        request["Description"] = _expected(cursor.string(), "a text")
    if cursor.keywords("location"):
        request["LocationUri"] = _expected(cursor.string(), "a text")

    def run(_: str) -> list[str]:
        iam.require_glue("GetDatabase", request["Name"])
        if request["Name"] in glue._databases:
            _fail_unless(if_not_exists, f"{_TASK} Database {request['Name']} already exists")
            return []
        iam.require_glue("CreateDatabase", request["Name"])
        glue_overrides.call(glue._create_database, {"DatabaseInput": request})
        return []

    return run


def _drop_database(cursor: athena._Cursor) -> Run:
    if_exists = cursor.keywords("if", "exists")
    name = _name(cursor, 1)[0]
    cascade = cursor.keywords("cascade")
    if not cascade:
        cursor.keywords("restrict")

    def run(_: str) -> list[str]:
        iam.require_glue("GetDatabase", name)
        if name not in glue._databases:
            _fail_unless(if_exists, f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")
            return []
        if not cascade and any(key.startswith(f"{name}/") for key in glue._tables):
            raise QueryFailed(f"{_TASK} InvalidOperationException(message:Database {name} is not empty.)")
        iam.require_glue("DeleteDatabase", name, "*")
        glue_overrides.call(glue._delete_database, {"Name": name})
        return []

    return run


def _create_table(cursor: athena._Cursor) -> Run:
    parsed = athena._parse_ddl(cursor.text)
    if not isinstance(parsed, athena._CreateTable):
        raise trino_sql.SqlError("cannot recognize input: not a CREATE EXTERNAL TABLE (or not supported by the emulator)")
    if not parsed.external:
        raise trino_sql.SqlError("External keyword required for table type HIVE")
    for column in parsed.columns + parsed.partition_keys:
        if not trino_sql.is_hive_type(column["Type"]):
            raise trino_sql.SqlError(f"mismatched input '{column['Type']}' expecting a type")
    cursor.i = len(cursor.tokens)

    def run(database: str) -> list[str]:
        database = parsed.database or database
        name = f"{database}.{parsed.table}"
        _require_database(database)
        iam.require_glue("GetTable", database, parsed.table)
        if glue_overrides.table(database, parsed.table):
            _fail_unless(parsed.if_not_exists, f"{_TASK} AlreadyExistsException(message:Table {name} already exists)")
            return []
        columns = [column["Name"] for column in parsed.columns + parsed.partition_keys]
        if len(set(columns)) < len(columns):
            raise QueryFailed("FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns")
        if not (parsed.location or "").startswith("s3://"):
            raise QueryFailed("FAILED: SemanticException: An external table needs a LOCATION in S3")
        try:
            s3_overrides.sizes(*s3_overrides.bucket_and_key(parsed.location))
        except s3_overrides.S3Error as error:
            raise QueryFailed(f"{_TASK} MetaException(message:Got exception: {error})") from error
        iam.require_glue("CreateTable", database, parsed.table)
        athena._run_ddl(parsed, database)
        return []

    return run


def _drop_table(cursor: athena._Cursor) -> Run:
    return _drop(cursor, is_view=False)


def _drop_view(cursor: athena._Cursor) -> Run:
    return _drop(cursor, is_view=True)


def _drop(cursor: athena._Cursor, is_view: bool) -> Run:
    if_exists = cursor.keywords("if", "exists")
    explicit_database, name = _name(cursor, 2)

    def run(database: str) -> list[str]:
        database = explicit_database or database
        iam.require_glue("GetTable", database, name)
        table = glue_overrides.table(database, name)
        if table is None:
            what = "View" if is_view else "SemanticException [Error 10001]: Table"
            _fail_unless(if_exists, f"FAILED: {what} not found: {database}.{name}")
            return []
        if (table["TableType"] == "VIRTUAL_VIEW") != is_view:
            kinds = ("a table", "DROP VIEW") if is_view else ("a view", "DROP TABLE")
            raise QueryFailed(f"FAILED: SemanticException: Cannot drop {kinds[0]} with {kinds[1]}")
        iam.require_glue("DeleteTable", database, name)
        glue_overrides.call(glue._delete_table, {"DatabaseName": database, "Name": name})
        return []

    return run


def _repair(cursor: athena._Cursor) -> Run:
    explicit_database, name = _name(cursor, 2)

    def run(database: str) -> list[str]:
        database = explicit_database or database
        table = _partitioned(database, name)
        iam.require_glue("GetPartitions", database, name)
        new = {values: None for values in athena_query.partition_directories(table)}
        added = athena_query.add_partitions(database, name, table, new)
        lines = [f"Partitions not in metastore:\t{' '.join(f'{name}:{path}' for path in added)}"] if added else []
        return lines + [f"Repair: Added partition to metastore {name}:{path}" for path in added]

    return run


def _alter_table(cursor: athena._Cursor) -> Run:
    explicit_database, name = _name(cursor, 2)
    adds = cursor.keywords("add")
    if not adds and not cursor.keywords("drop"):
        raise trino_sql.SqlError("mismatched input after ALTER TABLE. Expecting: ADD or DROP PARTITION")
    has_if_clause = cursor.keywords("if", "not", "exists") if adds else cursor.keywords("if", "exists")
    wanted: list[tuple[dict[str, str], str | None]] = []
    while cursor.keywords("partition"):
        values = _partition_values(cursor)
        wanted.append((values, _expected(cursor.string(), "a text") if cursor.keywords("location") else None))
        cursor.punct(",")
    _expected(wanted, "PARTITION")

    def run(database: str) -> list[str]:
        database = explicit_database or database
        table = _partitioned(database, name)
        keys = [key["Name"] for key in table["PartitionKeys"]]
        if any(set(values) != set(keys) for values, _ in wanted):
            raise QueryFailed(f"FAILED: SemanticException: the partition's columns are {', '.join(keys)}")
        locations = {tuple(values[key] for key in keys): location for values, location in wanted}
        existing = {tuple(one["Values"]) for one in glue_overrides.partitions(database, name)}
        wrong = existing & set(locations) if adds else set(locations) - existing
        if wrong and not has_if_clause:
            problem = "already exists" if adds else "not found"
            raise QueryFailed(f"FAILED: SemanticException: Partition {problem}: {sorted(wrong)[0]}")
        if adds:
            athena_query.add_partitions(database, name, table, locations)
            return []
        iam.require_glue("BatchDeletePartition", database, name)
        to_delete = [{"Values": list(values)} for values in locations]
        request = {"DatabaseName": database, "TableName": name, "PartitionsToDelete": to_delete}
        glue_overrides.call(glue_overrides._batch_delete_partition, request)
        return []

    return run


def _create_view(cursor: athena._Cursor, replaces: bool = False) -> Run:
    explicit_database, name = _name(cursor, 2)
    if not cursor.keywords("as"):
        raise trino_sql.SqlError("mismatched input after the view's name. Expecting: AS")
    tree = trino_sql.parse_query(cursor.text[cursor.peek()[2] or len(cursor.text) :])
    if unnamed := trino_sql.unnamed_columns(tree):
        raise trino_sql.SqlError(f"MISSING_COLUMN_NAME: Column name not specified at position {unnamed[0][0] + 1}")
    cursor.i = len(cursor.tokens)

    def run(database: str) -> list[str]:
        database = explicit_database or database
        _require_database(database)
        iam.require_glue("GetTable", database, name)
        old = glue_overrides.table(database, name)
        if old and old["TableType"] != "VIRTUAL_VIEW":
            raise QueryFailed(f"TABLE_ALREADY_EXISTS: Table already exists: '{trino_sql.CATALOG}.{database}.{name}'")
        _fail_unless(replaces or not old, f"TABLE_ALREADY_EXISTS: View already exists: '{database}.{name}'")
        columns = athena_query.describe(tree, database)
        iam.require_glue("UpdateTable" if old else "CreateTable", database, name)
        request = {"DatabaseName": database, "TableInput": _view_input(name, database, tree, columns)}
        glue_overrides.call(glue._update_table if old else glue._create_table, request)
        return []

    return run


def _create_or_replace_view(cursor: athena._Cursor) -> Run:
    return _create_view(cursor, replaces=True)


def _view_input(name: str, database: str, tree: trino_sql.exp.Query, columns: list[tuple[str, str]]) -> dict:
    """Returns a view as Athena stores it: the query in Trino's formatting, encoded in a comment."""
    definition = {
        "originalSql": trino_sql.formatted(tree),
        "catalog": trino_sql.CATALOG,
        "schema": database,
        "columns": [{"name": column, "type": kind} for column, kind in columns],
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    glue_columns = [{"Name": column, "Type": trino_sql.hive_type(kind)} for column, kind in columns]
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"comment": "Presto View", "presto_view": "true", "transient_lastDdlTime": str(int(time.time()))},
        "ViewOriginalText": f"{athena_query.VIEW_START}{encoded}{athena_query.VIEW_END}",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {"Columns": glue_columns, "Location": "", "SerdeInfo": {}},
        "PartitionKeys": [],
    }


def _partitioned(database: str, name: str) -> dict:
    iam.require_glue("GetTable", database, name)
    table = glue_overrides.table(database, name)
    if table is None or table["TableType"] == "VIRTUAL_VIEW":
        raise QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")
    if not table["PartitionKeys"]:
        raise QueryFailed(f"FAILED: SemanticException: Table {database}.{name} is not a partitioned table")
    return table


def _require_database(name: str) -> None:
    iam.require_glue("GetDatabase", name)
    if name not in glue._databases:
        raise QueryFailed(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")


def _partition_values(cursor: athena._Cursor) -> dict[str, str]:
    values = {}
    _expected(cursor.punct("("), "(")
    while True:
        key = _expected(cursor.identifier(), "a name")
        _expected(cursor.punct("="), "=")
        values[key] = cursor.string() or str(_expected(cursor.number(), "a value"))
        if cursor.punct(")"):
            return values
        _expected(cursor.punct(","), ",")


def _name(cursor: athena._Cursor, most_parts: int) -> tuple:
    name = _expected(cursor.dotted_name(most_parts), "a name")
    return tuple(part and part.lower() for part in name)


def _expected(found, what: str):
    if not found:
        raise trino_sql.SqlError(f"mismatched input. Expecting: {what}")
    return found


def _fail_unless(tolerated: bool, problem: str) -> None:
    if not tolerated:
        raise QueryFailed(problem)


_READERS = {
    ("create", "database"): _create_database,
    ("create", "schema"): _create_database,
    ("drop", "database"): _drop_database,
    ("drop", "schema"): _drop_database,
    ("create", "external", "table"): _create_table,
    ("create", "table"): _create_table,
    ("drop", "table"): _drop_table,
    ("drop", "view"): _drop_view,
    ("msck", "repair", "table"): _repair,
    ("alter", "table"): _alter_table,
    ("create", "view"): _create_view,
    ("create", "or", "replace", "view"): _create_or_replace_view,
}
