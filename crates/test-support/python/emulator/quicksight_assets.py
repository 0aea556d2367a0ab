"""QuickSight's assets (data sources, data sets and dashboards), kept in memory, and their permissions."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from ministack.core.responses import get_account_id, get_region

from quicksight_model import ServiceError, invalid

# The only user name that does not exist.
UNKNOWN_USER = "nobody"
# QuickSight's users belong to an identity region, which may differ from that of the assets.
_PRINCIPAL = re.compile(r"arn:aws:quicksight:[a-z0-9-]+:(\d{12}):(?:(?:user|group)/[\w.-]+/(.+)|namespace/[\w.-]+)")
_READER_ACTIONS = {
    "datasource": {"DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource"},
    "dataset": {
        "DescribeDataSet", "DescribeDataSetPermissions", "DescribeIngestion", "ListIngestions", "PassDataSet",
    },
    "dashboard": {"DescribeDashboard", "ListDashboardVersions", "QueryDashboard"},
}
_OWNER_ACTIONS = {
    "datasource": _READER_ACTIONS["datasource"] | {"DeleteDataSource", "UpdateDataSource", "UpdateDataSourcePermissions"},
    "dataset": _READER_ACTIONS["dataset"] | {
        "CancelIngestion", "CreateIngestion", "DeleteDataSet", "UpdateDataSet", "UpdateDataSetPermissions",
    },
    "dashboard": _READER_ACTIONS["dashboard"] | {
        "DeleteDashboard", "DescribeDashboardPermissions", "UpdateDashboard", "UpdateDashboardPermissions",
        "UpdateDashboardPublishedVersion",
    },
}
# Actions that AWS has added since, which are optional in a set of permissions.
_OPTIONAL_ACTIONS = {
    "datasource": set(),
    "dataset": {
        "CreateRefreshSchedule", "DeleteDataSetRefreshProperties", "DeleteRefreshSchedule",
        "DescribeDataSetRefreshProperties", "DescribeRefreshSchedule", "ListRefreshSchedules",
        "PutDataSetRefreshProperties", "UpdateRefreshSchedule",
    },
    "dashboard": {"UpdateDashboardLinks"},
}


@dataclass
class Asset:
    """A data source, data set or dashboard."""

    kind: str
    id: str
    arn: str
    settings: dict
    permissions: dict[str, set[str]] = field(default_factory=dict)
    tags: list[dict] = field(default_factory=list)
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)

    def times(self) -> dict:
        """Returns the timestamps that every response contains."""
        return {"CreatedTime": self.created, "LastUpdatedTime": self.updated}


_assets: dict[str, Asset] = {}


def arn_of(kind: str, name: str) -> str:
    """Returns the ARN of an asset in the caller's account and region."""
    return f"arn:aws:quicksight:{get_region()}:{get_account_id()}:{kind}/{name}"


def find(arn: str) -> Asset | None:
    """Returns the asset with an ARN, or None."""
    return _assets.get(arn)


def get(kind: str, name: str) -> Asset:
    """Returns an asset of the caller's account, or raises ResourceNotFoundException."""
    if asset := _assets.get(arn_of(kind, name)):
        return asset
    raise ServiceError("ResourceNotFoundException", f"{kind} {name} is not found")


def add(asset: Asset, permissions: list[dict]) -> None:
    """Adds a new asset with its permissions."""
    if asset.arn in _assets:
        raise ServiceError("ResourceExistsException", f"{asset.kind} {asset.id} already exists")
    grant(asset, permissions)
    _assets[asset.arn] = asset


def remove(asset: Asset) -> None:
    """Removes an asset. Assets that use it remain, but no longer work."""
    del _assets[asset.arn]


def grant(asset: Asset, permissions: list[dict]) -> None:
    """Replaces the permissions of the given principals."""
    for one in _checked(asset.kind, permissions):
        asset.permissions[one["Principal"]] = set(one["Actions"])


def revoke(asset: Asset, permissions: list[dict]) -> None:
    """Revokes actions. A principal without any action is removed."""
    for one in _checked(asset.kind, permissions):
        left = asset.permissions.pop(one["Principal"], set()) - set(one["Actions"])
        if left:
            asset.permissions[one["Principal"]] = left


def permissions_response(asset: Asset) -> dict:
    """Returns the permissions as in a response, in no particular order. The model has no empty list."""
    response = [
        {"Principal": principal, "Actions": sorted(actions, reverse=True)}
        for principal, actions in asset.permissions.items()
    ]
    return {"Permissions": response} if response else {}


def _checked(kind: str, permissions: list[dict]) -> list[dict]:
    """Rejects unknown principals, and sets of actions that are neither the reader's nor the owner's."""
    wrong = [one["Principal"] for one in permissions if not _is_known(one["Principal"])]
    if wrong:
        raise invalid(f"One or more principal ARNs are not valid: {wrong}")
    prefix = "quicksight:"
    for one in permissions:
        actions = {action.removeprefix(prefix) for action in one["Actions"] if action.startswith(prefix)}
        roles = (_READER_ACTIONS[kind], _OWNER_ACTIONS[kind])
        if len(actions) != len(one["Actions"]) or actions - _OPTIONAL_ACTIONS[kind] not in roles:
            raise invalid("ResourcePermission list contains unsupported permission sets for this resource type")
    return permissions


def _is_known(principal: str) -> bool:
    match = _PRINCIPAL.fullmatch(principal)
    return bool(match) and match[1] == get_account_id() and match[2] != UNKNOWN_USER
