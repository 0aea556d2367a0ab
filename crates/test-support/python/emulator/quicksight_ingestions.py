"""How QuickSight fills a data set: it asks Athena, with rights of its own, and keeps the answer in SPICE.

What may live here: ingestions from their start to their end, one at a time for each data set. Each look at any of a
data set's ingestions brings the one whose turn it is a step further; the query really runs once it is told to be running.
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
from quicksight_model import Refused, invalid

_FAILURES = (athena_query.QueryFailed, glue_overrides.GlueError, s3_overrides.S3Error, trino_sql.SqlError)
_WHOLE = {"bigint", "integer", "smallint", "tinyint"}
# What a column may be in Athena, by its type in the data set. QuickSight reads no time with a zone.
_READABLE = {
    "STRING": {"varchar"},
    "INTEGER": _WHOLE | {"boolean"},
    "DECIMAL": _WHOLE | {"decimal", "double", "float"},
    "DATETIME": {"date", "timestamp"},
    "BIT": {"boolean"},
    "BOOLEAN": {"boolean"},
}
KIND = "dataset"
_ENDS = ("COMPLETED", "FAILED")


class IngestionFailed(Exception):
    """Why, as `ErrorInfo` tells it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Ingestion:
    """One filling of a data set."""

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


def begin(data_set: Asset, name: str, kind: str) -> Ingestion:
    """One more; it waits while there is one that isn't done."""
    known = _ingestions.setdefault(data_set.arn, {})
    if name in known:
        raise Refused("ResourceExistsException", f"Ingestion {name} already exists")
    status = "QUEUED" if _turn(data_set) else "INITIALIZED"
    known[name] = Ingestion(name, f"{data_set.arn}/ingestion/{name}", kind, status)
    return known[name]


def create(request: dict) -> tuple[int, dict]:
    """CreateIngestion."""
    data_set = assets.get(KIND, request["DataSetId"])
    if data_set.settings["ImportMode"] != "SPICE":
        raise invalid("The data set is not in SPICE")
    kind = request.get("IngestionType", "FULL_REFRESH")
    if kind == "INCREMENTAL_REFRESH":
        raise invalid("The data set has no look-back window for an incremental refresh")
    begun = begin(data_set, request["IngestionId"], kind)
    return 201, {"Arn": begun.arn, "IngestionId": begun.id, "IngestionStatus": begun.status}


async def describe(request: dict) -> tuple[int, dict]:
    """DescribeIngestion: tells what it is, then goes on."""
    data_set = assets.get(KIND, request["DataSetId"])
    known = _ingestions.get(data_set.arn, {})
    if request["IngestionId"] not in known:
        raise Refused("ResourceNotFoundException", f"Ingestion {request['IngestionId']} is not found")
    told = _told(known[request["IngestionId"]], _turn(data_set))
    await _go_on(data_set)
    return 200, {"Ingestion": told}


def custom_sql(data_set: Asset) -> dict:
    """The query that fills a data set."""
    (table,) = data_set.settings["PhysicalTableMap"].values()
    return table["CustomSql"]


def forget(data_set: Asset) -> None:
    """Its ingestions go with a data set."""
    for one in _ingestions.pop(data_set.arn, {}).values():
        if one.task:
            one.task.cancel()


def size(data_set: Asset) -> int:
    """What a data set takes in SPICE, in bytes."""
    done = [one for one in _ingestions.get(data_set.arn, {}).values() if one.status == "COMPLETED"]
    return done[-1].size if done else 0


def _turn(data_set: Asset) -> Ingestion | None:
    """The one that isn't done and came first."""
    known = _ingestions.get(data_set.arn, {}).values()
    return next((one for one in known if one.status not in _ENDS), None)


def _told(one: Ingestion, turn: Ingestion | None) -> dict:
    told = {
        "Arn": one.arn,
        "IngestionId": one.id,
        "IngestionStatus": one.status,
        "CreatedTime": one.created,
        "RequestSource": "MANUAL",
        "RequestType": one.kind,
    }
    if one.status == "COMPLETED":
        told["RowInfo"] = {"RowsIngested": one.rows, "RowsDropped": 0, "TotalRowsInDataset": one.rows}
        told |= {"IngestionTimeInSeconds": 1, "IngestionSizeInBytes": one.size}
    elif one.status == "FAILED":
        told |= {"ErrorInfo": one.error, "RowInfo": {"RowsIngested": 0, "RowsDropped": 0}}
    elif one.status == "QUEUED":
        told["QueueInfo"] = {"WaitingOnIngestion": turn.id, "QueuedIngestion": one.id}
    return told


async def _go_on(data_set: Asset) -> None:
    one = _turn(data_set)
    if one is None:
        return
    if one.status == "QUEUED":
        one.status = "INITIALIZED"
    elif one.status == "INITIALIZED":
        one.status = "RUNNING"
        one.task = asyncio.create_task(_fill(data_set, one))
    elif one.task.done():
        one.status = "FAILED" if one.error else "COMPLETED"
    else:
        await asyncio.wait({one.task}, timeout=1)


async def _fill(data_set: Asset, one: Ingestion) -> None:
    pin_request_origin("127.0.0.1", True)
    # QuickSight asks with a role of its own, whatever its caller may do.
    with iam.trusted():
        try:
            answer = await asyncio.to_thread(_ask, data_set)
            one.rows, one.size = len(answer.rows), sum(len(text or "") for row in answer.rows for text in row)
        except IngestionFailed as error:
            one.error = {"Type": error.kind, "Message": str(error)}
        except Exception as error:
            app.logger.exception("the emulator's QuickSight failed")
            one.error = {"Type": "INTERNAL_SERVICE_ERROR", "Message": f"{error!r} (an error of the emulator)"}


def _ask(data_set: Asset) -> athena_query.Answer:
    """What Athena answers, if it is what the data set promises."""
    query = custom_sql(data_set)
    source = assets.find(query["DataSourceArn"])
    if source is None:
        raise IngestionFailed("DATA_SOURCE_NOT_FOUND", f"{query['DataSourceArn']} is not found")
    workgroup, reason = data_sources.workgroup(source)
    if workgroup is None:
        raise IngestionFailed("DATA_SOURCE_CONNECTION_FAILED", reason)
    try:
        answer = athena_query.select(trino_sql.parse_query(query["SqlQuery"]), "default")
    except _FAILURES as error:
        is_table = str(error).startswith(("TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"))
        raise IngestionFailed("SQL_TABLE_NOT_FOUND" if is_table else "SQL_EXCEPTION", str(error)) from error
    cutoff = workgroup["Configuration"].get("BytesScannedCutoffPerQuery")
    if cutoff and answer.scanned > cutoff:
        raise IngestionFailed("SQL_EXCEPTION", "Bytes scanned limit was exceeded")
    types = dict(zip(answer.columns, map(trino_sql.answer_type, answer.types)))
    for column in query["Columns"]:
        found = types.get(column["Name"])
        if found is None:
            raise IngestionFailed("SQL_SCHEMA_MISMATCH_ERROR", f"Column {column['Name']} is not in the answer")
        if found != "unknown" and found not in _READABLE.get(column["Type"], ()):
            text = f"Column {column['Name']} is {found} in the answer, which is no {column['Type']}"
            raise IngestionFailed("SQL_SCHEMA_MISMATCH_ERROR", text)
    return answer
