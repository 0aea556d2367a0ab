"""QuickSight's data sources, which connect to Athena through a workgroup.

One function per operation, from parameters to status and response, and the connection test.
"""

from __future__ import annotations

import time

from ministack.services import athena

import quicksight_assets as assets
from quicksight_assets import Asset
from quicksight_model import ServiceError, invalid

KIND = "datasource"
_MEMBERS = ("Name", "Type", "DataSourceParameters", "VpcConnectionProperties", "SslProperties")
# The number of describe calls that report a data source as in progress before it is done.
_POLLS = 1


def create(request: dict) -> tuple[int, dict]:
    """CreateDataSource: responds before the connection is tested."""
    _check(request)
    arn = assets.arn_of(KIND, request["DataSourceId"])
    settings = {name: request[name] for name in _MEMBERS if name in request}
    source = Asset(KIND, request["DataSourceId"], arn, settings, tags=request.get("Tags", []))
    assets.add(source, request.get("Permissions", []))
    _set_in_progress(source, "CREATION")
    return 202, {"Arn": arn, "DataSourceId": source.id, "CreationStatus": source.settings["Status"]}


def update(request: dict) -> tuple[int, dict]:
    """UpdateDataSource: replaces all settings; members that the request omits are removed."""
    source = assets.get(KIND, request["DataSourceId"])
    _check({**request, "Type": source.settings["Type"]})
    if _in_progress(source):
        raise ServiceError("ConflictException", f"{source.id} is {source.settings['Status']}")
    source.settings = {"Type": source.settings["Type"]} | {name: request[name] for name in _MEMBERS if name in request}
    source.updated = time.time()
    _set_in_progress(source, "UPDATE")
    return 202, {"Arn": source.arn, "DataSourceId": source.id, "UpdateStatus": source.settings["Status"]}


def describe(request: dict) -> tuple[int, dict]:
    """DescribeDataSource: each call advances a creation or update in progress one step."""
    source = assets.get(KIND, request["DataSourceId"])
    described = {name: value for name, value in source.settings.items() if not name.startswith("_")}
    if _in_progress(source):
        source.settings["_polls"] -= 1
        if source.settings["_polls"] < 0:
            _finish(source)
            return describe(request)
    return 200, {"DataSource": {"Arn": source.arn, "DataSourceId": source.id, **described, **source.times()}}


def delete(request: dict) -> tuple[int, dict]:
    """DeleteDataSource: deletes the data source; data sets that use it remain."""
    source = assets.get(KIND, request["DataSourceId"])
    assets.remove(source)
    return 200, {"Arn": source.arn, "DataSourceId": source.id}


def usable(arn: str) -> Asset:
    """Returns a data source that a data set may use, or raises an error."""
    source = assets.find(arn)
    if source is None or source.kind != KIND:
        raise invalid(f"Data source {arn} is not found")
    if _in_progress(source):
        raise ServiceError("ConflictException", f"Data source {arn} is {source.settings['Status']}")
    if source.settings["Status"] == "CREATION_FAILED":
        raise invalid(f"Data source {arn} is {source.settings['Status']}")
    return source


def workgroup(source: Asset) -> tuple[dict | None, str]:
    """Returns the workgroup of a data source, or None and the reason why it is unusable."""
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
        raise invalid("DataSourceParameters don't fit the type (or a type that the emulator does not support)")
    if "Credentials" in request:
        raise invalid("Credentials are not supported for data source type ATHENA")


def _set_in_progress(source: Asset, operation: str) -> None:
    source.settings |= {"Status": f"{operation}_IN_PROGRESS", "_polls": _POLLS}


def _in_progress(source: Asset) -> bool:
    return source.settings["Status"].endswith("_IN_PROGRESS")


def _finish(source: Asset) -> None:
    operation = source.settings["Status"].removesuffix("_IN_PROGRESS")
    found, reason = workgroup(source)
    source.settings["Status"] = f"{operation}_{'SUCCESSFUL' if found else 'FAILED'}"
    if not found:
        source.settings["ErrorInfo"] = {"Type": "GENERIC_SQL_FAILURE", "Message": reason}
