"""What QuickSight keeps, in memory, and who may do what with it there.

What may live here: what data sources, data sets and dashboards have in common.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from ministack.core.responses import get_account_id, get_region

from quicksight_model import Refused, invalid

# Nobody of this name has ever been registered; everybody else has.
UNKNOWN_USER = "nobody"
# QuickSight's users live in one region, which need not be that of what they look at.
_PRINCIPAL = re.compile(r"arn:aws:quicksight:[a-z0-9-]+:(\d{12}):(?:(?:user|group)/[\w.-]+/(.+)|namespace/[\w.-]+)")
_READERS = {
    "datasource": {"DescribeDataSource", "DescribeDataSourcePermissions", "PassDataSource"},
    "dataset": {
        "DescribeDataSet", "DescribeDataSetPermissions", "DescribeIngestion", "ListIngestions", "PassDataSet",
    },
    "dashboard": {"DescribeDashboard", "ListDashboardVersions", "QueryDashboard"},
}
_OWNERS = {
    "datasource": _READERS["datasource"] | {"DeleteDataSource", "UpdateDataSource", "UpdateDataSourcePermissions"},
    "dataset": _READERS["dataset"] | {
        "CancelIngestion", "CreateIngestion", "DeleteDataSet", "UpdateDataSet", "UpdateDataSetPermissions",
    },
    "dashboard": _READERS["dashboard"] | {
        "DeleteDashboard", "DescribeDashboardPermissions", "UpdateDashboard", "UpdateDashboardPermissions",
        "UpdateDashboardPublishedVersion",
    },
}
# What came later, and may be there or not.
_LATER = {
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
    """A data source, a data set or a dashboard."""

    kind: str
    id: str
    arn: str
    settings: dict
    permissions: dict[str, set[str]] = field(default_factory=dict)
    tags: list[dict] = field(default_factory=list)
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)

    def times(self) -> dict:
        """As all answers tell them."""
        return {"CreatedTime": self.created, "LastUpdatedTime": self.updated}


_assets: dict[str, Asset] = {}


def arn_of(kind: str, name: str) -> str:
    """The ARN of what is the caller's, here."""
    return f"arn:aws:quicksight:{get_region()}:{get_account_id()}:{kind}/{name}"


def find(arn: str) -> Asset | None:
    """What has this ARN."""
    return _assets.get(arn)


def get(kind: str, name: str) -> Asset:
    """What the call is about."""
    if asset := _assets.get(arn_of(kind, name)):
        return asset
    raise Refused("ResourceNotFoundException", f"{kind} {name} is not found")


def add(asset: Asset, permissions: list[dict]) -> None:
    """Keeps something new."""
    if asset.arn in _assets:
        raise Refused("ResourceExistsException", f"{asset.kind} {asset.id} already exists")
    grant(asset, permissions)
    _assets[asset.arn] = asset


def remove(asset: Asset) -> None:
    """What uses it stays, and works no longer."""
    del _assets[asset.arn]


def grant(asset: Asset, permissions: list[dict]) -> None:
    """Takes the place of what these principals were allowed."""
    for one in _checked(asset.kind, permissions):
        asset.permissions[one["Principal"]] = set(one["Actions"])


def revoke(asset: Asset, permissions: list[dict]) -> None:
    """Who is left with nothing is no longer named."""
    for one in _checked(asset.kind, permissions):
        left = asset.permissions.pop(one["Principal"], set()) - set(one["Actions"])
        if left:
            asset.permissions[one["Principal"]] = left


def told_permissions(asset: Asset) -> dict:
    """As answers tell them, in an order that means nothing; by the model there is no empty list."""
    told = [
        {"Principal": principal, "Actions": sorted(actions, reverse=True)}
        for principal, actions in asset.permissions.items()
    ]
    return {"Permissions": told} if told else {}


def _checked(kind: str, permissions: list[dict]) -> list[dict]:
    """Refuses principals that aren't there, and actions that QuickSight gives to neither readers nor owners."""
    wrong = [one["Principal"] for one in permissions if not _is_known(one["Principal"])]
    if wrong:
        raise invalid(f"One or more principal ARNs are not valid: {wrong}")
    prefix = "quicksight:"
    for one in permissions:
        actions = {action.removeprefix(prefix) for action in one["Actions"] if action.startswith(prefix)}
        roles = (_READERS[kind], _OWNERS[kind])
        if len(actions) != len(one["Actions"]) or actions - _LATER[kind] not in roles:
            raise invalid("ResourcePermission list contains unsupported permission sets for this resource type")
    return permissions


def _is_known(principal: str) -> bool:
    match = _PRINCIPAL.fullmatch(principal)
    return bool(match) and match[1] == get_account_id() and match[2] != UNKNOWN_USER
