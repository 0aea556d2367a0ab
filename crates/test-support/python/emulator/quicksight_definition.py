"""Validation of a dashboard's definition beyond the constraints of the API's model.

Pure functions of a definition and the data sets that it references.
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

# Identifiers that must be unique within a dashboard.
_IDENTIFIERS = ("SheetId", "VisualId", "FilterGroupId", "FilterId")
_NUMBERS = {"INTEGER", "DECIMAL"}
# The column types allowed for a field or filter.
_ALLOWED_TYPES = {
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
# Matches {column} and ${parameter} in an expression, and string literals, in which neither has a meaning.
_NAMES = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(\$?)\{([^{}]+)\}")


def reject_invalid(definition: dict) -> None:
    """Rejects a definition that QuickSight would not start to create: duplicate identifiers."""
    for kind in _IDENTIFIERS:
        # Counts only the structures that define an identifier, not references to it.
        found = structures(definition, _shape())
        counts = Counter(value[kind] for shape, value, _ in found if kind in value and _defines(shape, kind))
        if duplicates := [name for name, times in counts.items() if times > 1]:
            raise invalid(f"{kind} is not unique: {duplicates}")
    declared = [one["Identifier"] for one in definition["DataSetIdentifierDeclarations"]]
    if len(set(declared)) != len(declared):
        raise invalid(f"data set identifiers are not unique: {declared}")


def errors(definition: dict) -> list[dict]:
    """Returns `Version.Errors`: unresolved data sets, columns and parameters, and mismatched column types."""
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
            yield from _column_errors(value.get("DataSetIdentifier"), value["ColumnName"], declared, known, where)
        if shape.name == "CalculatedField":
            yield from _expression_errors(value, declared, known, parameters, where)
        if shape.name in _ALLOWED_TYPES and "Column" in value:
            column = value["Column"]
            kind = known.get(column.get("DataSetIdentifier"), {}).get(column["ColumnName"])
            if kind and kind not in _ALLOWED_TYPES[shape.name]:
                yield "COLUMN_TYPE_MISMATCH", f"{where}: {shape.name} of {column['ColumnName']}, which is {kind}"


def _column_errors(
    identifier: str | None, name: str, declared: set[str], known: dict, where: str
) -> Iterator[tuple[str, str]]:
    if identifier not in declared:
        yield "DATA_SET_NOT_FOUND", f"{where}: data set {identifier} is not declared"
    elif identifier in known and name not in known[identifier]:
        yield "COLUMN_REPLACEMENT_MISSING", f"{where}: column {name} is not in data set {identifier}"


def _expression_errors(
    field: dict, declared: set[str], known: dict, parameters: set[str], where: str
) -> Iterator[tuple[str, str]]:
    for is_parameter, name in _NAMES.findall(field["Expression"]):
        if is_parameter and name not in parameters:
            yield "PARAMETER_NOT_FOUND", f"{where}: parameter {name} is not declared"
        elif name and not is_parameter:
            yield from _column_errors(field.get("DataSetIdentifier"), name, declared, known, where)


def _defines(shape: Shape, kind: str) -> bool:
    """Tests if a structure with such an identifier defines it rather than references it."""
    if kind == "VisualId":
        return shape.name.endswith("Visual")
    if kind == "FilterId":
        return shape.name.endswith("Filter")
    return shape.name in ("SheetDefinition", "FilterGroup")


def _shape() -> Shape:
    return service().shape_for("DashboardVersionDefinition")
