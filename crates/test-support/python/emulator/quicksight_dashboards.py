"""QuickSight's dashboards and their versions.

One function per operation, from parameters to status and response. Definitions are validated by quicksight_definition.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import quicksight_assets as assets
import quicksight_definition as definitions
from quicksight_assets import Asset
from quicksight_model import ServiceError, invalid

KIND = "dashboard"
# The number of describe calls that report a version as in progress before it is done.
_POLLS = 2


@dataclass
class _Version:
    number: int
    arn: str
    request: dict
    created: float = field(default_factory=time.time)
    status: str = "CREATION_IN_PROGRESS"
    errors: list[dict] = field(default_factory=list)
    polls: int = _POLLS


def create(request: dict) -> tuple[int, dict]:
    """CreateDashboard: publishes the first version at once, while it is still in progress."""
    _check(request)
    arn = assets.arn_of(KIND, request["DashboardId"])
    dashboard = Asset(KIND, request["DashboardId"], arn, {"versions": {}}, tags=request.get("Tags", []))
    assets.add(dashboard, request.get("Permissions", []))
    version = _add_version(dashboard, request)
    _publish(dashboard, version)
    return 202, _identity(dashboard) | {"VersionArn": version.arn, "CreationStatus": version.status}


def update(request: dict) -> tuple[int, dict]:
    """UpdateDashboard: adds a version, which is not visible until it is published."""
    dashboard = assets.get(KIND, request["DashboardId"])
    _check(request)
    newest = max(dashboard.settings["versions"].values(), key=lambda version: version.number)
    if newest.status == "CREATION_IN_PROGRESS":
        raise ServiceError("ConflictException", f"Version {newest.number} of {dashboard.id} is {newest.status}")
    version = _add_version(dashboard, request)
    dashboard.updated = time.time()
    return 202, _identity(dashboard) | {"VersionArn": version.arn, "CreationStatus": version.status}


def publish(request: dict) -> tuple[int, dict]:
    """UpdateDashboardPublishedVersion: publishes a version that was created successfully."""
    dashboard = assets.get(KIND, request["DashboardId"])
    version = _version(dashboard, request["VersionNumber"])
    if version.status == "CREATION_IN_PROGRESS":
        raise ServiceError("ConflictException", f"Version {version.number} of {dashboard.id} is {version.status}")
    if version.status != "CREATION_SUCCESSFUL":
        raise invalid(f"Version {version.number} of {dashboard.id} is {version.status}")
    _publish(dashboard, version)
    return 200, {"DashboardId": dashboard.id, "DashboardArn": dashboard.arn}


def describe(request: dict) -> tuple[int, dict]:
    """DescribeDashboard: describes the published version unless another is requested. Each call advances it one step."""
    dashboard = assets.get(KIND, request["DashboardId"])
    version = _version(dashboard, request.get("VersionNumber", dashboard.settings["published"]))
    definition = version.request["Definition"]
    described = {
        "VersionNumber": version.number,
        "Arn": version.arn,
        "Status": version.status,
        "CreatedTime": version.created,
        "DataSetArns": [one["DataSetArn"] for one in definition["DataSetIdentifierDeclarations"]],
        "Sheets": [
            {"SheetId": sheet["SheetId"]} | ({"Name": sheet["Name"]} if "Name" in sheet else {})
            for sheet in definition.get("Sheets", [])
        ],
    } | _errors(version)
    if "VersionDescription" in version.request:
        described["Description"] = version.request["VersionDescription"]
    _advance(version)
    answer = {"DashboardId": dashboard.id, "Arn": dashboard.arn, "Name": dashboard.settings["Name"], "Version": described}
    answer["LastPublishedTime"] = dashboard.settings["published_at"]
    return 200, {"Dashboard": answer | dashboard.times()}


def describe_definition(request: dict) -> tuple[int, dict]:
    """DescribeDashboardDefinition: returns a version's definition."""
    dashboard = assets.get(KIND, request["DashboardId"])
    version = _version(dashboard, request.get("VersionNumber", dashboard.settings["published"]))
    described = {"Name": dashboard.settings["Name"], "ResourceStatus": version.status} | _errors(version)
    return 200, {"DashboardId": dashboard.id, **described, "Definition": version.request["Definition"]}


def delete(request: dict) -> tuple[int, dict]:
    """DeleteDashboard: deletes the dashboard or one version."""
    dashboard = assets.get(KIND, request["DashboardId"])
    if number := request.get("VersionNumber"):
        if number == dashboard.settings["published"]:
            raise ServiceError("ConflictException", f"Version {number} of {dashboard.id} is published")
        del dashboard.settings["versions"][_version(dashboard, number).number]
    else:
        assets.remove(dashboard)
    return 200, _identity(dashboard)


def data_set_arns(request: dict) -> list[str]:
    """Returns the ARNs of the data sets that a definition declares."""
    declared = request.get("Definition", {}).get("DataSetIdentifierDeclarations", [])
    return sorted({one["DataSetArn"] for one in declared if "DataSetArn" in one})


def _check(request: dict) -> None:
    if "Definition" not in request or "SourceEntity" in request:
        raise invalid("A dashboard has a Definition or a SourceEntity (not supported by the emulator), but not both")
    definitions.reject_invalid(request["Definition"])


def _add_version(dashboard: Asset, request: dict) -> _Version:
    number = dashboard.settings["newest"] = dashboard.settings.get("newest", 0) + 1
    version = _Version(number, f"{dashboard.arn}/version/{number}", request)
    dashboard.settings["versions"][number] = version
    dashboard.settings["Name"] = request["Name"]
    return version


def _publish(dashboard: Asset, version: _Version) -> None:
    dashboard.settings |= {"published": version.number, "published_at": time.time()}


def _advance(version: _Version) -> None:
    if version.status != "CREATION_IN_PROGRESS":
        return
    version.polls -= 1
    if version.polls == 0:
        version.errors = definitions.errors(version.request["Definition"])
        lenient = version.request.get("ValidationStrategy", {}).get("Mode") == "LENIENT"
        version.status = "CREATION_FAILED" if version.errors and not lenient else "CREATION_SUCCESSFUL"


def _version(dashboard: Asset, number: int) -> _Version:
    if number not in dashboard.settings["versions"]:
        raise ServiceError("ResourceNotFoundException", f"Version {number} of dashboard {dashboard.id} is not found")
    return dashboard.settings["versions"][number]


def _errors(version: _Version) -> dict:
    """Returns the errors as in a response. The model has no empty list."""
    return {"Errors": version.errors} if version.errors else {}


def _identity(dashboard: Asset) -> dict:
    return {"Arn": dashboard.arn, "DashboardId": dashboard.id}
