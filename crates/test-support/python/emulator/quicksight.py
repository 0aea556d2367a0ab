"""QuickSight's API: dispatches a request to its operation and builds the response.

ministack has no QuickSight. This one supports the operations that `deploy` uses and a few more. The operations themselves
are in the other quicksight_* modules.
"""

from __future__ import annotations

import inspect
import uuid

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id

import iam
import quicksight_assets as assets
import quicksight_dashboards as dashboards
import quicksight_data_sets as data_sets
import quicksight_ingestions as ingestions
import quicksight_model as model
import quicksight_data_sources as data_sources
from quicksight_model import ServiceError

NAME = "quicksight"


def install() -> None:
    """Registers QuickSight as one of ministack's services."""
    router.SERVICE_PATTERNS[NAME] = {"host_patterns": [r"^quicksight\."]}
    app.SERVICE_HANDLERS[NAME] = _handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    iam_actions._BOTOCORE_SERVICE_MAP[NAME] = [NAME]


async def _handle(method: str, path: str, _: dict, body: bytes, query: dict) -> tuple:
    request_id = str(uuid.uuid4())
    try:
        operation, request = model.read(method, path, query, body)
        model.check(operation, request)
        if request["AwsAccountId"] != get_account_id():
            raise ServiceError("AccessDeniedException", f"Account {request['AwsAccountId']} is not the caller's account")
        if operation.name not in _OPERATIONS:
            raise model.invalid(f"{operation.name} is not supported by the emulator")
        _authorize(operation.name, request)
        answer = _OPERATIONS[operation.name](request)
        status, fields = await answer if inspect.isawaitable(answer) else answer
        return model.response(status, fields | {"Status": status, "RequestId": request_id})
    except iam.AccessDenied as error:
        return model.error_response(ServiceError("AccessDeniedException", str(error)), request_id)
    except ServiceError as error:
        return model.error_response(error, request_id)


def _authorize(operation: str, request: dict) -> None:
    """Checks the permissions that a call needs besides the action of its own name."""
    iam.require("quicksight:PassDataSource", *model.source_arns(request))
    iam.require("quicksight:PassDataSet", *dashboards.data_set_arns(request))
    if tags := request.get("Tags"):
        context = {f"aws:requesttag/{tag['Key']}".lower(): tag["Value"] for tag in tags}
        context["aws:tagkeys"] = [tag["Key"] for tag in tags]
        iam.require("quicksight:TagResource", iam.quicksight_arns(operation, request)[-1], context=context)


def _describe_permissions(kind: str, name_of_id: str, name_of_arn: str):
    def describe_permissions(request: dict) -> tuple[int, dict]:
        asset = assets.get(kind, request[name_of_id])
        return 200, {name_of_id: asset.id, name_of_arn: asset.arn, **assets.permissions_response(asset)}

    return describe_permissions


def _update_permissions(kind: str, name_of_id: str, name_of_arn: str):
    def update_permissions(request: dict) -> tuple[int, dict]:
        if "GrantLinkPermissions" in request or "RevokeLinkPermissions" in request:
            raise model.invalid("link permissions are not supported by the emulator")
        asset = assets.get(kind, request[name_of_id])
        assets.revoke(asset, request.get("RevokePermissions", []))
        assets.grant(asset, request.get("GrantPermissions", []))
        permissions = assets.permissions_response(asset) if kind == dashboards.KIND else {}
        return 200, {name_of_id: asset.id, name_of_arn: asset.arn, **permissions}

    return update_permissions


_SOURCE = (data_sources.KIND, "DataSourceId", "DataSourceArn")
_DATA_SET = (ingestions.KIND, "DataSetId", "DataSetArn")
_DASHBOARD = (dashboards.KIND, "DashboardId", "DashboardArn")
_OPERATIONS = {
    "CreateDashboard": dashboards.create,
    "CreateDataSet": data_sets.create,
    "CreateDataSource": data_sources.create,
    "CreateIngestion": ingestions.create,
    "DeleteDashboard": dashboards.delete,
    "DeleteDataSet": data_sets.delete,
    "DeleteDataSource": data_sources.delete,
    "DescribeDashboard": dashboards.describe,
    "DescribeDashboardDefinition": dashboards.describe_definition,
    "DescribeDashboardPermissions": _describe_permissions(*_DASHBOARD),
    "DescribeDataSet": data_sets.describe,
    "DescribeDataSetPermissions": _describe_permissions(*_DATA_SET),
    "DescribeDataSource": data_sources.describe,
    "DescribeDataSourcePermissions": _describe_permissions(*_SOURCE),
    "DescribeIngestion": ingestions.describe,
    "UpdateDashboard": dashboards.update,
    "UpdateDashboardPermissions": _update_permissions(*_DASHBOARD),
    "UpdateDashboardPublishedVersion": dashboards.publish,
    "UpdateDataSet": data_sets.update,
    "UpdateDataSetPermissions": _update_permissions(*_DATA_SET),
    "UpdateDataSource": data_sources.update,
    "UpdateDataSourcePermissions": _update_permissions(*_SOURCE),
}
