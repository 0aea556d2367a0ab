"""QuickSight's data sets.

One function per operation, from parameters to status and response, and the output columns of a data set.
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
# The default of DataSetUsageConfiguration.
_DEFAULT_USAGE = {"DisableUseAsDirectQuerySource": False, "DisableUseAsImportedSource": False}


def create(request: dict) -> tuple[int, dict]:
    """CreateDataSet: starts an ingestion if the data set is in SPICE."""
    settings = _settings(request)
    arn = assets.arn_of(ingestions.KIND, request["DataSetId"])
    data_set = Asset(ingestions.KIND, request["DataSetId"], arn, settings, tags=request.get("Tags", []))
    assets.add(data_set, request.get("Permissions", []))
    return 201, _identity(data_set) | _start_ingestion(data_set, "INITIAL_INGESTION")


def update(request: dict) -> tuple[int, dict]:
    """UpdateDataSet: replaces all settings and starts another ingestion."""
    data_set = assets.get(ingestions.KIND, request["DataSetId"])
    data_set.settings, data_set.updated = _settings(request), time.time()
    return 200, _identity(data_set) | _start_ingestion(data_set, "EDIT")


def describe(request: dict) -> tuple[int, dict]:
    """DescribeDataSet: returns settings, output columns and SPICE size."""
    data_set = assets.get(ingestions.KIND, request["DataSetId"])
    described = {**data_set.settings, "OutputColumns": columns(data_set), **data_set.times()}
    described["ConsumedSpiceCapacityInBytes"] = ingestions.size(data_set)
    return 200, {"DataSet": {"Arn": data_set.arn, "DataSetId": data_set.id, **described}}


def delete(request: dict) -> tuple[int, dict]:
    """DeleteDataSet: deletes the data set; dashboards that use it remain."""
    data_set = assets.get(ingestions.KIND, request["DataSetId"])
    assets.remove(data_set)
    ingestions.forget(data_set)
    return 200, _identity(data_set)


def columns(data_set: Asset) -> list[dict]:
    """Returns the output columns: names and types after all transforms."""
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
    output_types = {"BIT": "INTEGER", "BOOLEAN": "INTEGER"}
    return [{"Name": name, "Type": output_types.get(one["Type"], one["Type"])} for name, one in found.items()]


def _settings(request: dict) -> dict:
    """Validates a request and returns the settings to keep."""
    for arn in model.source_arns(request):
        data_sources.usable(arn)
    physical = request["PhysicalTableMap"]
    if len(physical) != 1 or "CustomSql" not in next(iter(physical.values())):
        raise invalid("PhysicalTableMap: the emulator supports exactly one CustomSql")
    names = [one["Name"] for one in next(iter(physical.values()))["CustomSql"].get("Columns", [])]
    if not names or len(set(names)) != len(names):
        raise invalid("CustomSql.Columns must list the columns without duplicates")
    settings = {name: value for name, value in request.items() if name not in _NOT_SETTINGS}
    settings.setdefault("DataSetUsageConfiguration", _DEFAULT_USAGE)
    if not settings.get("LogicalTableMap"):
        # QuickSight fills in a logical table that passes the physical one through.
        settings["LogicalTableMap"] = {
            name: {"Alias": table["CustomSql"]["Name"][:64], "Source": {"PhysicalTableId": name}}
            for name, table in physical.items()
        }
    _check_transforms(settings, names)
    return settings


def _check_transforms(settings: dict, names: list[str]) -> None:
    known = set(names)
    for table in settings["LogicalTableMap"].values():
        if table["Source"].get("PhysicalTableId") not in settings["PhysicalTableMap"]:
            raise invalid("LogicalTableMap has a source that is no physical table (or that the emulator does not support)")
        for transform in table.get("DataTransforms", []):
            ((kind, one),) = transform.items()
            if kind not in ("CastColumnTypeOperation", "RenameColumnOperation", "ProjectOperation"):
                raise invalid(f"{kind} is not supported by the emulator")
            if missing := set(one.get("ProjectedColumns") or [one["ColumnName"]]) - known:
                raise invalid(f"{kind} has unknown columns: {sorted(missing)}")
            if kind == "RenameColumnOperation":
                known = known - {one["ColumnName"]} | {one["NewColumnName"]}
            if kind == "ProjectOperation":
                known = set(one["ProjectedColumns"])


def _identity(data_set: Asset) -> dict:
    return {"Arn": data_set.arn, "DataSetId": data_set.id}


def _start_ingestion(data_set: Asset, kind: str) -> dict:
    if data_set.settings["ImportMode"] != "SPICE":
        return {}
    ingestion = ingestions.start(data_set, str(uuid.uuid4()), kind)
    return {"IngestionArn": ingestion.arn, "IngestionId": ingestion.id}
