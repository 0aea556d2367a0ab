"""QuickSight's data sets.

What may live here: one function an operation, each from parameters to answer, and which columns a data set has.
"""

from __future__ import annotations

import time
import uuid

import quicksight_assets as assets
import quicksight_ingestions as ingestions
import quicksight_model as model
import quicksight_data_sources as data_sources
from quicksight_assets import Asset
from quicksight_model import invalid

_NOT_SETTINGS = {"AwsAccountId", "DataSetId", "Permissions", "Tags", "FolderArns"}
# What is told of a data set whose request left it out.
_USAGE = {"DisableUseAsDirectQuerySource": False, "DisableUseAsImportedSource": False}


def create(request: dict) -> tuple[int, dict]:
    """CreateDataSet: one in SPICE begins to fill."""
    settings = _settings(request)
    arn = assets.arn_of(ingestions.KIND, request["DataSetId"])
    data_set = Asset(ingestions.KIND, request["DataSetId"], arn, settings, tags=request.get("Tags", []))
    assets.add(data_set, request.get("Permissions", []))
    return 201, _answer(data_set) | _filling(data_set, "INITIAL_INGESTION")


def update(request: dict) -> tuple[int, dict]:
    """UpdateDataSet: takes the place of all that it was, and fills it again."""
    data_set = assets.get(ingestions.KIND, request["DataSetId"])
    data_set.settings, data_set.updated = _settings(request), time.time()
    return 200, _answer(data_set) | _filling(data_set, "EDIT")


def describe(request: dict) -> tuple[int, dict]:
    """DescribeDataSet."""
    data_set = assets.get(ingestions.KIND, request["DataSetId"])
    told = {**data_set.settings, "OutputColumns": columns(data_set), **data_set.times()}
    told["ConsumedSpiceCapacityInBytes"] = ingestions.size(data_set)
    return 200, {"DataSet": {"Arn": data_set.arn, "DataSetId": data_set.id, **told}}


def delete(request: dict) -> tuple[int, dict]:
    """DeleteDataSet: dashboards that show it stay."""
    data_set = assets.get(ingestions.KIND, request["DataSetId"])
    assets.remove(data_set)
    ingestions.forget(data_set)
    return 200, _answer(data_set)


def columns(data_set: Asset) -> list[dict]:
    """Names and types as whoever shows them sees them."""
    found = {one["Name"]: dict(one) for one in ingestions.custom_sql(data_set)["Columns"]}
    for table in data_set.settings["LogicalTableMap"].values():
        for transform in table.get("DataTransforms", []):
            match transform:
                case {"CastColumnTypeOperation": cast}:
                    found[cast["ColumnName"]]["Type"] = cast["NewColumnType"]
                case {"RenameColumnOperation": renaming}:
                    found[renaming["NewColumnName"]] = found.pop(renaming["ColumnName"])
                case {"ProjectOperation": projection}:
                    found = {name: found[name] for name in projection["ProjectedColumns"]}
    told = {"BIT": "INTEGER", "BOOLEAN": "INTEGER"}
    return [{"Name": name, "Type": told.get(one["Type"], one["Type"])} for name, one in found.items()]


def _settings(request: dict) -> dict:
    """What is kept of a request that is right."""
    for arn in model.source_arns(request):
        data_sources.usable(arn)
    physical = request["PhysicalTableMap"]
    if len(physical) != 1 or "CustomSql" not in next(iter(physical.values())):
        raise invalid("PhysicalTableMap: one CustomSql is all that the emulator knows")
    names = [one["Name"] for one in next(iter(physical.values()))["CustomSql"].get("Columns", [])]
    if not names or len(set(names)) != len(names):
        raise invalid("CustomSql.Columns must name the columns, each once")
    settings = {name: value for name, value in request.items() if name not in _NOT_SETTINGS}
    settings.setdefault("DataSetUsageConfiguration", _USAGE)
    if not settings.get("LogicalTableMap"):
        # Nothing is done to the table on its way, which QuickSight writes down.
        settings["LogicalTableMap"] = {
            name: {"Alias": table["CustomSql"]["Name"][:64], "Source": {"PhysicalTableId": name}}
            for name, table in physical.items()
        }
    _check_transforms(settings, names)
    return settings


def _check_transforms(settings: dict, names: list[str]) -> None:
    there = set(names)
    for table in settings["LogicalTableMap"].values():
        if table["Source"].get("PhysicalTableId") not in settings["PhysicalTableMap"]:
            raise invalid("LogicalTableMap has a source that is no physical table (or that the emulator doesn't know)")
        for transform in table.get("DataTransforms", []):
            ((kind, one),) = transform.items()
            if kind not in ("CastColumnTypeOperation", "RenameColumnOperation", "ProjectOperation"):
                raise invalid(f"{kind} is not known to the emulator")
            if missing := set(one.get("ProjectedColumns") or [one["ColumnName"]]) - there:
                raise invalid(f"{kind} names columns that aren't there: {sorted(missing)}")
            if kind == "RenameColumnOperation":
                there = there - {one["ColumnName"]} | {one["NewColumnName"]}
            if kind == "ProjectOperation":
                there = set(one["ProjectedColumns"])


def _answer(data_set: Asset) -> dict:
    return {"Arn": data_set.arn, "DataSetId": data_set.id}


def _filling(data_set: Asset, kind: str) -> dict:
    if data_set.settings["ImportMode"] != "SPICE":
        return {}
    begun = ingestions.begin(data_set, str(uuid.uuid4()), kind)
    return {"IngestionArn": begun.arn, "IngestionId": begun.id}
