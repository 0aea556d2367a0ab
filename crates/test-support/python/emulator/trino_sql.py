"""Trino's SQL as DuckDB runs it, and as Athena writes it down.

What may live here: pure functions between texts, syntax trees, types and values. No catalogue, no files, no engine.
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
# What the engine needs before it runs what `to_duckdb` makes, one by one. Division by zero fails, unless of a DOUBLE.
PREPARATION = (
    "SET TimeZone = 'UTC'",
    "SET integer_division = true",
    """CREATE MACRO divided(a, b) AS CASE
        WHEN b = 0 AND typeof(a) NOT IN ('DOUBLE', 'FLOAT') AND typeof(b) NOT IN ('DOUBLE', 'FLOAT')
        THEN CAST('DIVISION_BY_ZERO' AS TINYINT)
        ELSE a / b
    END""",
    "CREATE MACRO at_timezone(moment, zone) AS timezone(zone, moment)",
    # The fields of a JSON object, with JSON's null as a value; nothing if a key is there twice, as in Trino. (NaN and a comma too
    # many pass here, not there.)
    """CREATE MACRO json_fields(text) AS
        CASE WHEN json_valid(text) THEN CASE WHEN json_type(text) = 'OBJECT' THEN
        CASE WHEN len(json_keys(text)) = len(list_distinct(json_keys(text))) THEN
            map(json_keys(text), list_transform(json_keys(text), lambda key:
                json_extract(text, '/' || replace(replace(key, '~', '~0'), '/', '~1'))))
        END END END""",
)

# Hive's names (in DDL and in Glue), DuckDB's, and Trino's (in queries and in answers).
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
# Hive's length limits don't matter for what is asked.
_TEXT_OF_LENGTH = re.compile(r"(var)?char\(\d+\)")


class SqlError(Exception):
    """A statement that Trino would not accept."""


def parse_query(text: str) -> exp.Query:
    """The syntax tree of one query."""
    try:
        tree = sqlglot.parse_one(text, dialect="trino")
    except SqlglotError as error:
        raise SqlError(str(error).splitlines()[0]) from error
    if not isinstance(tree, exp.Query):
        raise SqlError(f"mismatched input '{text.split(maxsplit=1)[0]}'. Expecting: a query")
    return tree


def resolve_tables(tree: exp.Query, database: str) -> set[tuple[str, str]]:
    """Writes each table's database in front of it, and says which tables there are."""
    # A name in a WITH hides a table of that name in the whole statement: Trino's scopes are finer, our queries are not.
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


def nameless_columns(tree: exp.Query) -> list[tuple[int, exp.Expression]]:
    """The columns of the answer that the query gives no name, with their places."""
    first = tree
    while isinstance(first, (exp.SetOperation, exp.Subquery)):
        first = first.this
    return [
        (place, column)
        for place, column in enumerate(first.selects)
        if not column.is_star and not isinstance(column, (exp.Alias, exp.Column))
    ]


def name_columns(tree: exp.Query) -> exp.Query:
    """Gives nameless columns the names that Trino gives them."""
    for place, column in nameless_columns(tree):
        column.replace(exp.alias_(column.copy(), f"_col{place}"))
    return tree


def to_duckdb(tree: exp.Query) -> str:
    """The same query for DuckDB, with Trino's meaning where a function of that name means something else there."""
    tree = tree.copy()
    # The innermost first, as they move into what takes the place of the outer ones.
    other_meaning = (exp.DateDiff, exp.ApproxQuantile, exp.FromISO8601Timestamp, exp.Cast, exp.Length)
    other_meaning += (exp.Div, exp.Add, exp.Sub)
    for node in reversed(list(tree.find_all(*other_meaning))):
        node.replace(_meaning(node.copy()))
    return tree.sql("duckdb", comments=False)


def _meaning(node: exp.Expression) -> exp.Expression:
    match node:
        case exp.DateDiff():  # counts complete units, which is called date_sub there
            unit = exp.Literal.string(node.args["unit"].name.lower())
            return exp.func("date_sub", unit, node.expression, node.this, dialect="duckdb")
        case exp.ApproxQuantile():  # the exact one, which is always an actual value
            # DuckDB takes the rank below where p * n is whole, Trino the one above.
            fraction = exp.Literal.number(min(float(node.args["quantile"].name) + 1e-9, 1.0))
            return exp.func("quantile_disc", node.this, fraction, dialect="duckdb")
        case exp.FromISO8601Timestamp():  # cuts a fraction off after its third digit
            return exp.func("date_trunc", exp.Literal.string("milliseconds"), node, dialect="duckdb")
        case exp.Cast():  # of what it has itself parsed, and in which it finds a key that is there twice
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


class _Layout(Trino):
    """Text as Trino's own formatter lays it out: commas first, every operation in brackets, no AS before an alias."""

    class Generator(Trino.Generator):
        """Differs from sqlglot's in a few places."""

        def binary(self, expression: exp.Binary, op: str) -> str:
            text = super().binary(expression, op)
            return text if isinstance(expression.parent, exp.Paren) else f"({text})"

        def alias_sql(self, expression: exp.Alias) -> str:
            return f"{self.sql(expression, 'this')} {self.sql(expression, 'alias')}"


def formatted(tree: exp.Query) -> str:
    """The query as Athena keeps it for a view: not as it was written."""
    return tree.sql(_Layout, pretty=True, leading_comma=True, pad=2, indent=2, comments=False) + "\n"


def duckdb_type(hive_type: str) -> str:
    """DuckDB's name of a type in DDL."""
    if _TEXT_OF_LENGTH.fullmatch(hive_type):
        return "VARCHAR"
    if _DECIMAL.fullmatch(hive_type):
        return hive_type.upper()
    try:
        return _DUCKDB_OF_HIVE[hive_type]
    except KeyError:
        raise SqlError(f"NOT_SUPPORTED: type {hive_type} (not known to the emulator)") from None


def is_hive_type(text: str) -> bool:
    """Whether this is a type in DDL. (INTEGER and VARCHAR without a length are not.)"""
    plain = text in _DUCKDB_OF_HIVE and " " not in text
    return plain or bool(_TEXT_OF_LENGTH.fullmatch(text) or _DECIMAL.fullmatch(text))


def trino_type(duckdb_name: str) -> str:
    """Trino's name of a type of DuckDB."""
    return duckdb_name.lower() if _DECIMAL.fullmatch(duckdb_name) else _TRINO_OF_DUCKDB.get(duckdb_name, "varchar")


def hive_type(trino_name: str) -> str:
    """How Glue names a type of Trino."""
    return _HIVE_OF_TRINO.get(trino_name, trino_name)


def answer_type(trino_name: str) -> str:
    """How GetQueryResults names a type of Trino."""
    return {"real": "float"}.get(trino_name, re.sub(r"\([^)]*\)", "", trino_name))


def answer_text(value: object) -> str | None:
    """A value as GetQueryResults writes it."""
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
            return "[" + ", ".join(answer_text(item) or "null" for item in value) + "]"
    return str(value)


def _java_double(value: float) -> str:
    """Java switches to an exponent at 10^7 and below 10^-3."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(decimal.Decimal(repr(value)), "f")
        return text if "." in text else text + ".0"
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{first}.{rest}E{exponent + len(digits) - 1}"
