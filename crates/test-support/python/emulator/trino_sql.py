"""Translation of Trino's SQL to DuckDB, and Athena's formatting of queries, types and values.

Pure functions of texts, syntax trees, types and values, without catalogue, files or engine.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re

import sqlglot
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError

CATALOG = "awsdatacatalog"
# The statements that DuckDB needs before it runs a query from `to_duckdb`. Division by zero fails except for DOUBLE.
SETUP = (
    "SET TimeZone = 'UTC'",
    "SET integer_division = true",
    """CREATE MACRO divided(a, b) AS CASE
        WHEN b = 0 AND typeof(a) NOT IN ('DOUBLE', 'FLOAT') AND typeof(b) NOT IN ('DOUBLE', 'FLOAT')
        THEN CAST('DIVISION_BY_ZERO' AS TINYINT)
        ELSE a / b
    END""",
    "CREATE MACRO at_timezone(instant, zone) AS timezone(zone, instant)",
    # The fields of a JSON object, with JSON null as a value; NULL for duplicate keys, as in Trino. Unlike Trino, DuckDB
    # accepts NaN and a trailing comma.
    """CREATE MACRO json_fields(text) AS
        CASE WHEN json_valid(text) THEN CASE WHEN json_type(text) = 'OBJECT' THEN
        CASE WHEN len(json_keys(text)) = len(list_distinct(json_keys(text))) THEN
            map(json_keys(text), list_transform(json_keys(text), lambda key:
                json_extract(text, '/' || replace(replace(key, '~', '~0'), '/', '~1'))))
        END END END""",
)

# Type names of Hive (in DDL and Glue), DuckDB, and Trino (in queries and results).
_TYPES = [
    ("string", "VARCHAR", "varchar"),
    ("boolean", "BOOLEAN", "boolean"),
    ("tinyint", "TINYINT", "tinyint"),
    ("smallint", "SMALLINT", "smallint"),
    ("int", "INTEGER", "integer"),
    ("bigint", "BIGINT", "bigint"),
    ("float", "FLOAT", "real"),
    ("double", "DOUBLE", "double"),
    ("date", "DATE", "date"),
    ("timestamp", "TIMESTAMP", "timestamp(3)"),
    ("timestamp with time zone", "TIMESTAMP WITH TIME ZONE", "timestamp(3) with time zone"),
    ("binary", "BLOB", "varbinary"),
]
_DUCKDB_OF_HIVE = {hive: duckdb for hive, duckdb, _ in _TYPES}
_HIVE_OF_TRINO = {trino: hive for hive, _, trino in _TYPES}
_TRINO_OF_DUCKDB = {duckdb: trino for _, duckdb, trino in _TYPES} | {
    "HUGEINT": "bigint",  # DuckDB's sum of whole numbers
    "TIMESTAMP_S": "timestamp(3)",
    "TIMESTAMP_MS": "timestamp(3)",
    "TIMESTAMP_NS": "timestamp(3)",
    '"NULL"': "unknown",
}
_DECIMAL = re.compile(r"decimal\(\d+,\s*\d+\)", re.IGNORECASE)
# Length limits of Hive's types are ignored.
_TEXT_OF_LENGTH = re.compile(r"(var)?char\(\d+\)")


class SqlError(Exception):
    """Trino would reject the statement."""


def parse_query(text: str) -> exp.Query:
    """Parses one query into a syntax tree."""
    try:
        tree = sqlglot.parse_one(text, dialect="trino")
    except SqlglotError as error:
        raise SqlError(str(error).splitlines()[0]) from error
    if not isinstance(tree, exp.Query):
        raise SqlError(f"mismatched input '{text.split(maxsplit=1)[0]}'. Expecting: a query")
    return tree


def resolve_tables(tree: exp.Query, database: str) -> set[tuple[str, str]]:
    """Qualifies each table with its database. Returns the tables referenced."""
    # A CTE hides a table of the same name in the whole statement. Trino's scopes are finer, but no query needs that.
    hidden = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found = set()
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or (not table.db and table.name.lower() in hidden):
            continue
        if table.catalog and table.catalog.lower() != CATALOG:
            raise SqlError(f"CATALOG_NOT_FOUND: Catalog '{table.catalog}' not found")
        name = ((table.db or database).lower(), table.name.lower())
        table.set("catalog", None)
        table.set("db", exp.to_identifier(name[0], quoted=True))
        table.set("this", exp.to_identifier(name[1], quoted=True))
        found.add(name)
    return found


def unnamed_columns(tree: exp.Query) -> list[tuple[int, exp.Expression]]:
    """Returns the result columns to which the query gives no name, with their positions."""
    first = tree
    while isinstance(first, (exp.SetOperation, exp.Subquery)):
        first = first.this
    return [
        (position, column)
        for position, column in enumerate(first.selects)
        if not column.is_star and not isinstance(column, (exp.Alias, exp.Column))
    ]


def name_columns(tree: exp.Query) -> exp.Query:
    """Names unnamed columns as Trino does."""
    for position, column in unnamed_columns(tree):
        column.replace(exp.alias_(column.copy(), f"_col{position}"))
    return tree


def to_duckdb(tree: exp.Query) -> str:
    """Translates a query to DuckDB, preserving Trino's semantics where functions of the same name differ."""
    tree = tree.copy()
    # Innermost first, because outer replacements contain the inner ones.
    differing = (exp.DateDiff, exp.ApproxQuantile, exp.FromISO8601Timestamp, exp.Cast, exp.Length)
    differing += (exp.Div, exp.Add, exp.Sub)
    for node in reversed(list(tree.find_all(*differing))):
        node.replace(_translate(node.copy()))
    return tree.sql("duckdb", comments=False)


def _translate(node: exp.Expression) -> exp.Expression:
    match node:
        case exp.DateDiff():  # counts complete units, as DuckDB's date_sub does
            unit = exp.Literal.string(node.args["unit"].name.lower())
            return exp.func("date_sub", unit, node.expression, node.this, dialect="duckdb")
        case exp.ApproxQuantile():  # the exact discrete quantile
            # Where p * n is an integer, DuckDB takes the rank below and Trino the one above.
            fraction = exp.Literal.number(min(float(node.args["quantile"].name) + 1e-9, 1.0))
            return exp.func("quantile_disc", node.this, fraction, dialect="duckdb")
        case exp.FromISO8601Timestamp():  # truncates to milliseconds
            return exp.func("date_trunc", exp.Literal.string("milliseconds"), node, dialect="duckdb")
        case exp.Cast():  # of parsed JSON to a map, which rejects duplicate keys
            is_map = isinstance(node.this, exp.ParseJSON) and node.to.is_type(exp.DataType.Type.MAP)
            return exp.func("json_fields", node.this.this, dialect="duckdb") if is_map else node
        case exp.Length() if isinstance(node.this, exp.Encode):  # of a VARBINARY
            return exp.func("octet_length", node.this, dialect="duckdb")
        case exp.Div():
            return exp.func("divided", node.this, node.expression, dialect="duckdb")
        case _ if _is_date(node.this) and isinstance(node.expression, exp.Interval):
            if str(node.expression.args.get("unit")).upper() in ("DAY", "WEEK", "MONTH", "YEAR"):
                return exp.cast(exp.paren(node), "date")  # stays a date
    return node


def _is_date(node: exp.Expression) -> bool:
    return isinstance(node, (exp.CurrentDate, exp.Date)) or (isinstance(node, exp.Cast) and node.to.is_type("date"))


class _TrinoFormat(Trino):
    """Trino's own formatting: leading commas, every operation in parentheses, no AS before an alias."""

    class Generator(Trino.Generator):
        """Generator with Trino's parentheses and aliases."""

        def binary(self, expression: exp.Binary, op: str) -> str:
            text = super().binary(expression, op)
            return text if isinstance(expression.parent, exp.Paren) else f"({text})"

        def alias_sql(self, expression: exp.Alias) -> str:
            return f"{self.sql(expression, 'this')} {self.sql(expression, 'alias')}"


def formatted(tree: exp.Query) -> str:
    """Formats a query as Athena stores it in a view."""
    return tree.sql(_TrinoFormat, pretty=True, leading_comma=True, pad=2, indent=2, comments=False) + "\n"


def duckdb_type(hive_type: str) -> str:
    """Returns DuckDB's name of a DDL type."""
    if _TEXT_OF_LENGTH.fullmatch(hive_type):
        return "VARCHAR"
    if _DECIMAL.fullmatch(hive_type):
        return hive_type.upper()
    try:
        return _DUCKDB_OF_HIVE[hive_type]
    except KeyError:
        raise SqlError(f"NOT_SUPPORTED: type {hive_type} (not supported by the emulator)") from None


def is_hive_type(text: str) -> bool:
    """Tests if a text is a type in DDL. INTEGER, and VARCHAR without a length, are not."""
    plain = text in _DUCKDB_OF_HIVE and " " not in text
    return plain or bool(_TEXT_OF_LENGTH.fullmatch(text) or _DECIMAL.fullmatch(text))


def trino_type(duckdb_name: str) -> str:
    """Returns Trino's name of a DuckDB type."""
    return duckdb_name.lower() if _DECIMAL.fullmatch(duckdb_name) else _TRINO_OF_DUCKDB.get(duckdb_name, "varchar")


def hive_type(trino_name: str) -> str:
    """Returns Glue's name of a Trino type."""
    return _HIVE_OF_TRINO.get(trino_name, trino_name)


def result_type(trino_name: str) -> str:
    """Returns the name of a Trino type in GetQueryResults."""
    return {"real": "float"}.get(trino_name, re.sub(r"\([^)]*\)", "", trino_name))


def result_text(value: object) -> str | None:
    """Formats a value as GetQueryResults does."""
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case float():
            return _java_double(value)
        case decimal.Decimal():
            return format(value, "f")
        case datetime.datetime():
            zone = " UTC" if value.tzinfo else ""
            return value.replace(tzinfo=None).isoformat(" ", "milliseconds") + zone
        case list():
            return "[" + ", ".join(result_text(item) or "null" for item in value) + "]"
    return str(value)


def _java_double(value: float) -> str:
    """Formats a double as Java does, with an exponent from 10^7 and below 10^-3."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(decimal.Decimal(repr(value)), "f")
        return text if "." in text else text + ".0"
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{first}.{rest}E{exponent + len(digits) - 1}"
