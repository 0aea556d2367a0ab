"""IAM authorization: the resource ARNs of a call, and the actions that Athena performs with its caller's permissions.

ministack evaluates the policies. This module adds the ARNs to evaluate for Glue, Athena and QuickSight, and Athena's access
to the catalogue and the buckets on behalf of its caller. Active only if the emulator runs with --auth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import athena

import quicksight_model

_access_key: ContextVar[str] = ContextVar("access_key", default="")
_resources: ContextVar[tuple[str, ...]] = ContextVar("resources", default=())
_as_service_role: ContextVar[bool] = ContextVar("trusted", default=False)
_enforce: Callable = iam_evaluator.enforce


class AccessDenied(Exception):
    """The caller lacks a permission that a statement needs."""


def install() -> None:
    """Replaces ministack's choice of resources and its error responses."""
    arn_of, answer = iam_actions.extract_resource_arn, iam_actions.access_denied_response

    def extract_resource_arn(service: str, method: str, path: str, headers: dict, body: bytes, *rest) -> str:
        if service == "quicksight":
            _resources.set(tuple(_quicksight_arns_of(method, path, body)))
            return _resources.get()[-1]
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        arns_of = {"glue": _glue_arns, "athena": _athena_arns}.get(service)
        _resources.set(tuple(arns_of(operation, json.loads(body or b"{}"))) if arns_of and operation else ())
        return _resources.get()[-1] if _resources.get() else arn_of(service, method, path, headers, body, *rest)

    def enforce(access_key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context=None):
        _access_key.set(access_key)
        arns = _resources.get() if resource_arn in _resources.get() else (resource_arn,)
        tags = action == "athena:CreateWorkGroup" and any(key.startswith("aws:requesttag/") for key in service_context)
        for one in (action, "athena:TagResource") if tags else (action,):
            for arn in arns:
                if denied := _enforce(access_key, one, service, region, arn, service_context):
                    return denied
        return None

    def access_denied_response(service: str, action: str, principal_arn: str, request_id: str, **details) -> tuple:
        if service not in ("glue", "athena", "quicksight") or details.get("error_code"):
            return answer(service, action, principal_arn, request_id, **details)
        text = _denial_message(principal_arn, action, details["resource_arn"], details["explicit_deny"])
        if service == "quicksight":
            return quicksight_model.error_response(quicksight_model.ServiceError("AccessDeniedException", text), request_id)
        _, headers, body = answer(service, action, principal_arn, request_id, **details, message=text)
        return 400, headers, body  # as AWS does; ministack returns 403

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce
    iam_actions.access_denied_response = access_denied_response


def denial_reason(action: str, arn: str, context: dict | None = None) -> str | None:
    """Returns the reason why the caller may not perform an action, or None if it is allowed."""
    if not app.AUTH or _as_service_role.get():
        return None
    denied = _enforce(_access_key.get(), action, action.partition(":")[0], get_region(), arn, context)
    if not denied:
        return None
    if isinstance(denied, iam_evaluator.AuthError):
        return denied.message
    return _denial_message(denied.principal_arn, action, arn, denied.decision == "Deny")


def require(action: str, *arns: str, context: dict | None = None) -> None:
    """Raises AccessDenied unless the caller may perform the action on every resource."""
    for arn in arns:
        if reason := denial_reason(action, arn, context):
            raise AccessDenied(reason)


def require_glue(operation: str, database: str, table: str | None = None) -> None:
    """Raises AccessDenied unless the caller may perform the operation on a catalogue resource."""
    require(f"glue:{operation}", *_catalog_arns(database, table))


@contextmanager
def as_service_role() -> Iterator[None]:
    """Allows everything within the context: a service acts with its own role."""
    token = _as_service_role.set(True)
    try:
        yield
    finally:
        _as_service_role.reset(token)


def quicksight_arns(operation: str, request: dict) -> list[str]:
    """Returns the resources that a call must be allowed on; its main resource is the last one."""
    start = f"arn:aws:quicksight:{get_region()}:{get_account_id()}:"
    if "Ingestion" in operation:
        return [f"{start}dataset/{request['DataSetId']}/ingestion/{request.get('IngestionId', '*')}"]
    if "Dashboard" in operation:
        return [f"{start}dashboard/{request['DashboardId']}"]
    if "DataSource" in operation:
        # AWS's reference names no resource for CreateDataSource, so it must be allowed on all.
        everything = ["*"] if operation == "CreateDataSource" else []
        return [*everything, f"{start}datasource/{request.get('DataSourceId', '*')}"]
    if "DataSet" in operation:
        # The reference names the data sources for CreateDataSet; this emulator requires the data set, too.
        sources = quicksight_model.source_arns(request) if operation == "CreateDataSet" else []
        return [*sources, f"{start}dataset/{request.get('DataSetId', '*')}"]
    return ["*"]


def _quicksight_arns_of(method: str, path: str, body: bytes) -> list[str]:
    try:
        operation, request = quicksight_model.read(method, path, {}, body)
        return quicksight_arns(operation.name, request)
    except (quicksight_model.ServiceError, AttributeError, TypeError):
        return ["*"]  # rejected later in any case


def _denial_message(principal_arn: str, action: str, arn: str, explicitly: bool) -> str:
    why = "with an explicit deny" if explicitly else f"because no identity-based policy allows the {action} action"
    return f"User: {principal_arn} is not authorized to perform: {action} on resource: {arn} {why}"


def _catalog_arns(database: str | None, *tables: str | None) -> list[str]:
    """Returns a catalogue resource and its parents; a call must be allowed on each of them."""
    start = f"arn:aws:glue:{get_region()}:{get_account_id()}:"
    arns = [f"{start}catalog"]
    if database:
        arns.append(f"{start}database/{database}")
        arns += [f"{start}table/{database}/{table}" for table in tables if table]
    return arns


def _glue_arns(operation: str, request: dict) -> list[str]:
    if arn := request.get("ResourceArn"):
        return [arn]
    if operation.endswith("Database"):
        name = request.get("Name") or request.get("DatabaseInput", {}).get("Name")
        return _catalog_arns(name, "*" if operation == "DeleteDatabase" else None)
    input_name = request.get("TableInput", {}).get("Name")
    table = request.get("TableName") or request.get("Name") or input_name or ("*" if operation == "GetTables" else None)
    return _catalog_arns(request.get("DatabaseName"), table, *request.get("TablesToDelete", []))


def _athena_arns(operation: str, request: dict) -> list[str]:
    if arn := request.get("ResourceARN"):
        return [arn]
    start = f"arn:aws:athena:{get_region()}:{get_account_id()}:"
    if "Catalog" in operation or "Database" in operation or "TableMetadata" in operation:
        name = request.get("CatalogName") or request.get("Name")
        return [f"{start}datacatalog/{name}"] if name else ["*"]
    if operation == "ListWorkGroups":
        return ["*"]
    name = request.get("WorkGroup") or (request.get("Name") if operation == "CreateWorkGroup" else None)
    for ids, known in (("QueryExecutionId", athena._executions), ("NamedQueryId", athena._named_queries)):
        one = request.get(ids) or next(iter(request.get(f"{ids}s", [])), None)
        name = name or (known.get(one) or {}).get("WorkGroup")
    return [f"{start}workgroup/{name or 'primary'}"]
