"""QuickSight's data sources: Athena, reached through a workgroup.

What may live here: one function an operation, each from parameters to answer, and whether a source can be reached.
"""

from __future__ import annotations

import time

from ministack.services import athena

import quicksight_assets as assets
from quicksight_assets import Asset
from quicksight_model import Refused, invalid

KIND = "datasource"
_MEMBERS = ("Name", "Type", "DataSourceParameters", "VpcConnectionProperties", "SslProperties")
# How often it is told to be in progress before it is told to be done.
_LOOKS = 1


def create(request: dict) -> tuple[int, dict]:
    """CreateDataSource: the answer comes before the source is tried."""
    _check(request)
    arn = assets.arn_of(KIND, request["DataSourceId"])
    settings = {name: request[name] for name in _MEMBERS if name in request}
    source = Asset(KIND, request["DataSourceId"], arn, settings, tags=request.get("Tags", []))
    assets.add(source, request.get("Permissions", []))
    _try(source, "CREATION")
    return 202, {"Arn": arn, "DataSourceId": source.id, "CreationStatus": source.settings["Status"]}


def update(request: dict) -> tuple[int, dict]:
    """UpdateDataSource: what the request leaves out is gone."""
    source = assets.get(KIND, request["DataSourceId"])
    _check({**request, "Type": source.settings["Type"]})
    if _in_progress(source):
        raise Refused("ConflictException", f"{source.id} is {source.settings['Status']}")
    source.settings = {"Type": source.settings["Type"]} | {name: request[name] for name in _MEMBERS if name in request}
    source.updated = time.time()
    _try(source, "UPDATE")
    return 202, {"Arn": source.arn, "DataSourceId": source.id, "UpdateStatus": source.settings["Status"]}


def describe(request: dict) -> tuple[int, dict]:
    """DescribeDataSource: each look brings it nearer to its end."""
    source = assets.get(KIND, request["DataSourceId"])
    told = {name: value for name, value in source.settings.items() if not name.startswith("_")}
    if _in_progress(source):
        source.settings["_looks"] -= 1
        if source.settings["_looks"] < 0:
            _settle(source)
            return describe(request)
    return 200, {"DataSource": {"Arn": source.arn, "DataSourceId": source.id, **told, **source.times()}}


def delete(request: dict) -> tuple[int, dict]:
    """DeleteDataSource: data sets that use it stay."""
    source = assets.get(KIND, request["DataSourceId"])
    assets.remove(source)
    return 200, {"Arn": source.arn, "DataSourceId": source.id}


def usable(arn: str) -> Asset:
    """A source that a data set may be made of."""
    source = assets.find(arn)
    if source is None or source.kind != KIND:
        raise invalid(f"Data source {arn} is not found")
    if _in_progress(source):
        raise Refused("ConflictException", f"Data source {arn} is {source.settings['Status']}")
    if source.settings["Status"] == "CREATION_FAILED":
        raise invalid(f"Data source {arn} is {source.settings['Status']}")
    return source


def workgroup(source: Asset) -> tuple[dict | None, str]:
    """The workgroup that a source asks in; or none, and why."""
    name = source.settings["DataSourceParameters"]["AthenaParameters"].get("WorkGroup", "primary")
    found = athena._workgroups.get(name)
    if found is None:
        return None, f"WorkGroup {name} is not found."
    if found["State"] != "ENABLED":
        return None, f"WorkGroup {name} is disabled."
    if not found["Configuration"].get("ResultConfiguration", {}).get("OutputLocation"):
        return None, f"WorkGroup {name} has no output location."
    return found, ""


def _check(request: dict) -> None:
    if request["Type"] != "ATHENA" or "AthenaParameters" not in request.get("DataSourceParameters", {}):
        raise invalid("DataSourceParameters don't fit the type (or a type that the emulator doesn't know)")
    if "Credentials" in request:
        raise invalid("Credentials are not supported for data source type ATHENA")


def _try(source: Asset, what: str) -> None:
    source.settings |= {"Status": f"{what}_IN_PROGRESS", "_looks": _LOOKS}


def _in_progress(source: Asset) -> bool:
    return source.settings["Status"].endswith("_IN_PROGRESS")


def _settle(source: Asset) -> None:
    what = source.settings["Status"].removesuffix("_IN_PROGRESS")
    found, reason = workgroup(source)
    source.settings["Status"] = f"{what}_{'SUCCESSFUL' if found else 'FAILED'}"
    if not found:
        source.settings["ErrorInfo"] = {"Type": "GENERIC_SQL_FAILURE", "Message": reason}
