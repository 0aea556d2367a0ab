"""What may be wrong with a dashboard's definition beyond what the model of the API says.

What may live here: pure functions of a definition and of the data sets that it names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from botocore.model import Shape

import quicksight_assets as assets
import quicksight_data_sets as data_sets
import quicksight_ingestions as ingestions
from quicksight_model import invalid, service, structures

# Each is one of its kind in the whole dashboard.
_IDENTIFIERS = ("SheetId", "VisualId", "FilterGroupId", "FilterId")
_NUMBERS = {"INTEGER", "DECIMAL"}
# What the column of a field or of a filter must be.
_TYPES = {
    "DateDimensionField": {"DATETIME"},
    "DateMeasureField": {"DATETIME"},
    "NumericalDimensionField": _NUMBERS,
    "NumericalMeasureField": _NUMBERS,
    "NumericEqualityFilter": _NUMBERS,
    "NumericRangeFilter": _NUMBERS,
    "RelativeDatesFilter": {"DATETIME"},
    "TimeEqualityFilter": {"DATETIME"},
    "TimeRangeFilter": {"DATETIME"},
}
# {a column} and ${a parameter} in an expression, and its texts, in which neither means anything.
_NAMES = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(\$?)\{([^{}]+)\}")


def refuse_broken(definition: dict) -> None:
    """Refuses what QuickSight doesn't even begin to make."""
    for kind in _IDENTIFIERS:
        # What defines it has more than its name; what only means it doesn't.
        there = structures(definition, _shape())
        found = Counter(value[kind] for shape, value, _ in there if kind in value and _defines(shape, kind))
        if twice := [name for name, times in found.items() if times > 1]:
            raise invalid(f"{kind} is there twice: {twice}")
    declared = [one["Identifier"] for one in definition["DataSetIdentifierDeclarations"]]
    if len(set(declared)) != len(declared):
        raise invalid(f"data set identifiers are there twice: {declared}")


def errors(definition: dict) -> list[dict]:
    """`Version.Errors`, after everything that the definition names was looked up."""
    return [{"Type": kind, "Message": message} for kind, message in dict.fromkeys(_errors(definition))]


def _errors(definition: dict) -> Iterator[tuple[str, str]]:
    known: dict[str, dict[str, str | None]] = {}
    for one in definition["DataSetIdentifierDeclarations"]:
        data_set = assets.find(one["DataSetArn"])
        if data_set is None or data_set.kind != ingestions.KIND:
            yield "DATA_SET_NOT_FOUND", f"Data set {one['DataSetArn']} is not found"
        else:
            known[one["Identifier"]] = {column["Name"]: column["Type"] for column in data_sets.columns(data_set)}
    declared = {one["Identifier"] for one in definition["DataSetIdentifierDeclarations"]}
    for one in definition.get("CalculatedFields", []):
        known.get(one.get("DataSetIdentifier"), {})[one["Name"]] = None
    parameters = {
        value["Name"]
        for shape, value, _ in structures(definition, _shape())
        if shape.name.endswith("ParameterDeclaration") and "Name" in value
    }
    for shape, value, where in structures(definition, _shape()):
        if shape.name == "ColumnIdentifier":
            yield from _wrong_column(value.get("DataSetIdentifier"), value["ColumnName"], declared, known, where)
        if shape.name == "CalculatedField":
            yield from _wrong_expression(value, declared, known, parameters, where)
        if shape.name in _TYPES and "Column" in value:
            column = value["Column"]
            kind = known.get(column.get("DataSetIdentifier"), {}).get(column["ColumnName"])
            if kind and kind not in _TYPES[shape.name]:
                yield "COLUMN_TYPE_MISMATCH", f"{where}: {shape.name} of {column['ColumnName']}, which is {kind}"


def _wrong_column(
    identifier: str | None, name: str, declared: set[str], known: dict, where: str
) -> Iterator[tuple[str, str]]:
    if identifier not in declared:
        yield "DATA_SET_NOT_FOUND", f"{where}: data set {identifier} is not declared"
    elif identifier in known and name not in known[identifier]:
        yield "COLUMN_REPLACEMENT_MISSING", f"{where}: column {name} is not in data set {identifier}"


def _wrong_expression(
    field: dict, declared: set[str], known: dict, parameters: set[str], where: str
) -> Iterator[tuple[str, str]]:
    for is_parameter, name in _NAMES.findall(field["Expression"]):
        if is_parameter and name not in parameters:
            yield "PARAMETER_NOT_FOUND", f"{where}: parameter {name} is not declared"
        elif name and not is_parameter:
            yield from _wrong_column(field.get("DataSetIdentifier"), name, declared, known, where)


def _defines(shape: Shape, kind: str) -> bool:
    """Whether a structure with such an identifier is the thing itself."""
    if kind == "VisualId":
        return shape.name.endswith("Visual")
    if kind == "FilterId":
        return shape.name.endswith("Filter")
    return shape.name in ("SheetDefinition", "FilterGroup")


def _shape() -> Shape:
    return service().shape_for("DashboardVersionDefinition")
