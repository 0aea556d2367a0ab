"""QuickSight's ingestions: a query on Athena, run with QuickSight's own role, whose result is kept in SPICE.

Ingestions of a data set run one at a time. Each describe call on any of them advances the oldest unfinished one by one step;
its query runs once its status is RUNNING.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from ministack import app
from ministack.core.iam_evaluator import pin_request_origin

import iam
import athena_query
import glue_overrides
import quicksight_assets as assets
import quicksight_data_sources as data_sources
import s3_overrides
import trino_sql
from quicksight_assets import Asset
from quicksight_model import ServiceError, invalid

_FAILURES = (athena_query.QueryFailed, glue_overrides.GlueError, s3_overrides.S3Error, trino_sql.SqlError)
_INTEGERS = {"bigint", "integer", "smallint", "tinyint"}
# The Athena types accepted for a column, by its type in the data set. QuickSight reads no timestamp with time zone.
_COMPATIBLE_TYPES = {
    "STRING": {"varchar"},
    "INTEGER": _INTEGERS | {"boolean"},
    "DECIMAL": _INTEGERS | {"decimal", "double", "float"},
    "DATETIME": {"date", "timestamp"},
    "BIT": {"boolean"},
    "BOOLEAN": {"boolean"},
}
KIND = "dataset"
_FINAL_STATUSES = ("COMPLETED", "FAILED")


class IngestionFailed(Exception):
    """The ingestion failed; type and message are returned in `ErrorInfo`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Ingestion:
    """An ingestion of a data set."""

    id: str
    arn: str
    kind: str
    status: str
    created: float = field(default_factory=time.time)
    rows: int = 0
    size: int = 0
    error: dict | None = None
    task: asyncio.Task | None = None


_ingestions: dict[str, dict[str, Ingestion]] = {}


def start(data_set: Asset, name: str, kind: str) -> Ingestion:
    """Adds an ingestion; it is queued while another one is unfinished."""
    known = _ingestions.setdefault(data_set.arn, {})
    if name in known:
        raise ServiceError("ResourceExistsException", f"Ingestion {name} already exists")
    status = "QUEUED" if _current(data_set) else "INITIALIZED"
    known[name] = Ingestion(name, f"{data_set.arn}/ingestion/{name}", kind, status)
    return known[name]


def create(request: dict) -> tuple[int, dict]:
    """CreateIngestion: starts a full refresh."""
    data_set = assets.get(KIND, request["DataSetId"])
    if data_set.settings["ImportMode"] != "SPICE":
        raise invalid("The data set is not in SPICE")
    kind = request.get("IngestionType", "FULL_REFRESH")
    if kind == "INCREMENTAL_REFRESH":
        raise invalid("The data set has no look-back window for an incremental refresh")
    ingestion = start(data_set, request["IngestionId"], kind)
    return 201, {"Arn": ingestion.arn, "IngestionId": ingestion.id, "IngestionStatus": ingestion.status}


async def describe(request: dict) -> tuple[int, dict]:
    """DescribeIngestion: describes an ingestion, then advances the data set's oldest unfinished one."""
    data_set = assets.get(KIND, request["DataSetId"])
    known = _ingestions.get(data_set.arn, {})
    if request["IngestionId"] not in known:
        raise ServiceError("ResourceNotFoundException", f"Ingestion {request['IngestionId']} is not found")
    response = _response(known[request["IngestionId"]], _current(data_set))
    await _advance(data_set)
    return 200, {"Ingestion": response}


def custom_sql(data_set: Asset) -> dict:
    """Returns the query of a data set."""
    (table,) = data_set.settings["PhysicalTableMap"].values()
    return table["CustomSql"]


def forget(data_set: Asset) -> None:
    """Removes the ingestions of a deleted data set."""
    for one in _ingestions.pop(data_set.arn, {}).values():
        if one.task:
            one.task.cancel()


def size(data_set: Asset) -> int:
    """Returns the size of a data set in SPICE, in bytes."""
    done = [one for one in _ingestions.get(data_set.arn, {}).values() if one.status == "COMPLETED"]
    return done[-1].size if done else 0


def _current(data_set: Asset) -> Ingestion | None:
    """Returns the oldest unfinished ingestion, or None."""
    known = _ingestions.get(data_set.arn, {}).values()
    return next((one for one in known if one.status not in _FINAL_STATUSES), None)


def _response(one: Ingestion, current: Ingestion | None) -> dict:
    response = {
        "Arn": one.arn,
        "IngestionId": one.id,
        "IngestionStatus": one.status,
        "CreatedTime": one.created,
        "RequestSource": "MANUAL",
        "RequestType": one.kind,
    }
    if one.status == "COMPLETED":
        response["RowInfo"] = {"RowsIngested": one.rows, "RowsDropped": 0, "TotalRowsInDataset": one.rows}
        response |= {"IngestionTimeInSeconds": 1, "IngestionSizeInBytes": one.size}
    elif one.status == "FAILED":
        response |= {"ErrorInfo": one.error, "RowInfo": {"RowsIngested": 0, "RowsDropped": 0}}
    elif one.status == "QUEUED":
        response["QueueInfo"] = {"WaitingOnIngestion": current.id, "QueuedIngestion": one.id}
    return response


async def _advance(data_set: Asset) -> None:
    one = _current(data_set)
    if one is None:
        return
    if one.status == "QUEUED":
        one.status = "INITIALIZED"
    elif one.status == "INITIALIZED":
        one.status = "RUNNING"
        one.task = asyncio.create_task(_run(data_set, one))
    elif one.task.done():
        one.status = "FAILED" if one.error else "COMPLETED"
    else:
        await asyncio.wait({one.task}, timeout=1)


async def _run(data_set: Asset, one: Ingestion) -> None:
    pin_request_origin("127.0.0.1", True)
    # QuickSight queries with its own role, whatever its caller's permissions.
    with iam.as_service_role():
        try:
            result = await asyncio.to_thread(_query_athena, data_set)
            one.rows, one.size = len(result.rows), sum(len(text or "") for row in result.rows for text in row)
        except IngestionFailed as error:
            one.error = {"Type": error.kind, "Message": str(error)}
        except Exception as error:
            app.logger.exception("the emulator's QuickSight failed")
            one.error = {"Type": "INTERNAL_SERVICE_ERROR", "Message": f"{error!r} (an error of the emulator)"}


def _query_athena(data_set: Asset) -> athena_query.Result:
    """Runs the query on Athena and checks the result against the data set's columns."""
    query = custom_sql(data_set)
    source = assets.find(query["DataSourceArn"])
    if source is None:
        raise IngestionFailed("DATA_SOURCE_NOT_FOUND", f"{query['DataSourceArn']} is not found")
    workgroup, reason = data_sources.workgroup(source)
    if workgroup is None:
        raise IngestionFailed("DATA_SOURCE_CONNECTION_FAILED", reason)
    try:
        result = athena_query.select(trino_sql.parse_query(query["SqlQuery"]), "default")
    except _FAILURES as error:
        is_table = str(error).startswith(("TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"))
        raise IngestionFailed("SQL_TABLE_NOT_FOUND" if is_table else "SQL_EXCEPTION", str(error)) from error
    cutoff = workgroup["Configuration"].get("BytesScannedCutoffPerQuery")
    if cutoff and result.scanned > cutoff:
        raise IngestionFailed("SQL_EXCEPTION", "Bytes scanned limit was exceeded")
    types = dict(zip(result.columns, map(trino_sql.result_type, result.types)))
    for column in query["Columns"]:
        found = types.get(column["Name"])
        if found is None:
            raise IngestionFailed("SQL_SCHEMA_MISMATCH_ERROR", f"Column {column['Name']} is not in the result")
        if found != "unknown" and found not in _COMPATIBLE_TYPES.get(column["Type"], ()):
            text = f"Column {column['Name']} is {found} in the result, which does not match {column['Type']}"
            raise IngestionFailed("SQL_SCHEMA_MISMATCH_ERROR", text)
    return result
