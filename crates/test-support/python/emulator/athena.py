"""Athena's API: workgroups, and query executions from start to results.

Statements are executed by athena_ddl.py and athena_query.py.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import uuid
from collections.abc import Callable

from ministack import app
from ministack.core.iam_evaluator import pin_request_origin
from ministack.core.responses import error_response_json, json_response
from ministack.services import athena

import iam
import athena_ddl
import athena_query
import glue_overrides
import s3_overrides
import trino_sql

_ENGINE = {
    "SelectedEngineVersion": "Athena engine version 3",
    "EffectiveEngineVersion": "Athena engine version 3",
}
_WORKGROUP_NAME = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_STATISTICS = ("DataScannedInBytes", "EngineExecutionTimeInMillis", "TotalExecutionTimeInMillis")
_QUERY_WORDS = ("select", "with", "(", "insert")
_CUTOFF = "BytesScannedCutoffPerQuery"
_FAILURES = (
    iam.AccessDenied,
    athena_query.QueryFailed,
    glue_overrides.GlueError,
    s3_overrides.S3Error,
    trino_sql.SqlError,
)
# Executes a statement and returns its result.
_Work = Callable[[], athena_query.Result]


def install() -> None:
    """Replaces ministack's functions."""
    athena._start_query_execution = _start
    athena._get_query_results = _add_update_count(athena._get_query_results)
    athena._create_workgroup = _create_workgroup(athena._create_workgroup)
    athena._get_workgroup = _requires_workgroup(_get_workgroup(athena._get_workgroup))
    athena._update_workgroup = _requires_workgroup(_update_workgroup(athena._update_workgroup))
    athena._delete_workgroup = _requires_workgroup(_delete_workgroup(athena._delete_workgroup))


def _invalid_request(message: str, **more: str) -> tuple:
    return error_response_json("InvalidRequestException", message, 400, extra=more)


def _start(request: dict) -> tuple:
    workgroup = athena._workgroups.get(request.get("WorkGroup", "primary"))
    if workgroup is None:
        return _invalid_request(f"WorkGroup {request['WorkGroup']} is not found.")
    if workgroup["State"] != "ENABLED":
        return _invalid_request(f"WorkGroup {workgroup['Name']} is disabled.")
    token = request.get("ClientRequestToken")
    for query_id, execution in athena._executions.items():
        if token and execution["_token"] == token:
            if execution["Query"] != request["QueryString"]:
                return _invalid_request("Idempotent parameters do not match")
            return json_response({"QueryExecutionId": query_id})
    settings = workgroup["Configuration"]
    location = _output_location(request, settings)
    if not location:
        text = "No output location provided. An output location is required either through the Workgroup result "
        return _invalid_request(f"{text}configuration setting or as an API input.")
    bucket, _ = s3_overrides.bucket_and_key(location)
    if bucket not in s3_overrides.s3._buckets or iam.denial_reason("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"):
        return _invalid_request(f"Unable to verify/create output bucket {bucket}")

    text, query_id = request["QueryString"], str(uuid.uuid4())
    context = {"Database": "default", "Catalog": "AwsDataCatalog", **request.get("QueryExecutionContext", {})}
    try:
        kind, work = _parse_statement(text, context["Database"].lower())
    except trino_sql.SqlError as error:
        return _invalid_request(f"line 1:1: {error}", AthenaErrorCode="MALFORMED_QUERY")
    ending = {"SELECT": ".csv", "INSERT": ""}.get(kind, ".txt")
    execution = {
        "QueryExecutionId": query_id,
        "Query": text,
        "StatementType": "DDL" if kind == "DDL" else "DML",
        "ResultConfiguration": {"OutputLocation": f"{location.rstrip('/')}/{query_id}{ending}"},
        "QueryExecutionContext": context,
        "Status": {"State": "QUEUED", "SubmissionDateTime": time.time()},
        "Statistics": dict.fromkeys(_STATISTICS, 0),
        "WorkGroup": workgroup["Name"],
        "EngineVersion": _ENGINE,
        "_token": token,
    }
    athena._executions[query_id] = execution
    # The event loop keeps only a weak reference to a task.
    execution["_task"] = asyncio.create_task(_execute(execution, work, settings.get(_CUTOFF)))
    return json_response({"QueryExecutionId": query_id})


def _output_location(request: dict, settings: dict) -> str | None:
    """Returns the workgroup's location if the workgroup enforces it or the request has none, else the request's."""
    own = settings.get("ResultConfiguration", {}).get("OutputLocation")
    requested = request.get("ResultConfiguration", {}).get("OutputLocation")
    return own if settings.get("EnforceWorkGroupConfiguration") else requested or own


def _parse_statement(text: str, database: str) -> tuple[str, _Work]:
    """Parses a statement. Returns its kind and a function that executes it."""
    tokens = list(athena._sql_tokens(text))
    semicolons = [index for index, token in enumerate(tokens) if token[:2] == ("punct", ";")]
    if not tokens:
        raise trino_sql.SqlError("mismatched input '<EOF>'. Expecting: a statement")
    if semicolons == [len(tokens) - 1]:
        # Athena accepts a final semicolon for some statements only, so the tools must not send one.
        raise trino_sql.SqlError("mismatched input ';'. Expecting: <EOF>. A statement ends without a semicolon")
    if semicolons:
        raise trino_sql.SqlError(f"Only one sql statement is allowed. Got: {text}")
    if run := athena_ddl.parse(text):
        return "DDL", lambda: athena_query.Result(["result"], ["varchar"], [[line] for line in run(database)])
    if tokens[0][1] not in _QUERY_WORDS:
        raise trino_sql.SqlError(f"mismatched input '{tokens[0][1]}' (or a statement that the emulator does not support)")
    if tokens[0][1] != "insert":
        tree = trino_sql.parse_query(text)
        return "SELECT", lambda: athena_query.select(tree, database)
    cursor = athena._Cursor(text)
    name = cursor.dotted_name(2) if cursor.keywords("insert", "into") else None
    if not name or not cursor.peek()[0]:
        raise trino_sql.SqlError("mismatched input. Expecting: INSERT INTO table query")
    tree = trino_sql.parse_query(text[cursor.peek()[2] :])
    target = ((name[0] or database).lower(), name[1].lower())
    part = f"{time.strftime('%Y%m%d_%H%M%S')}_{uuid.uuid4().hex[:5]}"
    return "INSERT", lambda: athena_query.insert(target, tree, database, part)


async def _execute(execution: dict, work: _Work, cutoff: int | None) -> None:
    status, started = execution["Status"], time.monotonic()
    status["State"] = "RUNNING"
    # Athena's own calls use TLS, whatever transport its caller used.
    pin_request_origin("127.0.0.1", True)
    try:
        iam.require_glue("GetDatabase", "default")
        answer = await asyncio.to_thread(work)
    except _FAILURES as error:
        reason = f"Insufficient permissions to execute the query. {error}"
        _fail(execution, reason if isinstance(error, iam.AccessDenied) else str(error))
        return
    except Exception as error:
        app.logger.exception("the emulator's Athena failed")
        _fail(execution, f"INTERNAL_ERROR_QUERY_ENGINE: {error!r} (an error of the emulator)")
        return
    if status["State"] == "CANCELLED":
        return
    took = max(1, round((time.monotonic() - started) * 1000))
    execution["Statistics"] |= dict(zip(_STATISTICS, (answer.scanned, took, took)))
    status["CompletionDateTime"] = time.time()
    if cutoff and answer.scanned > cutoff:
        status |= {"State": "CANCELLED", "StateChangeReason": "Bytes scanned limit was exceeded"}
        return
    try:
        _save(execution, answer)
    except _FAILURES as error:
        location = execution["ResultConfiguration"]["OutputLocation"]
        _fail(execution, f"Access denied when writing output to url: {location}. {error}")
        return
    execution["_results"] = {"columns": answer.columns, "rows": answer.rows}
    execution["_column_types"] = [trino_sql.result_type(kind) for kind in answer.types]
    execution["_written"] = answer.written
    status["State"] = "SUCCEEDED"


def _csv_value(value: str | None) -> str:
    """Quotes every value, to distinguish NULL from an empty string."""
    return "" if value is None else '"' + value.replace('"', '""') + '"'


def _fail(execution: dict, reason: str) -> None:
    if execution["Status"]["State"] == "CANCELLED":
        return
    execution["Status"] |= {
        "State": "FAILED",
        "StateChangeReason": reason,
        "CompletionDateTime": time.time(),
        "AthenaError": {"ErrorCategory": 2, "Retryable": False, "ErrorMessage": reason},
    }


def _save(execution: dict, answer: athena_query.Result) -> None:
    """Writes the results to the output location, as Athena does."""
    location = execution["ResultConfiguration"]["OutputLocation"]
    text = io.StringIO()
    if execution["StatementType"] == "DDL":
        text.writelines(f"{line}\n" for (line,) in answer.rows)
    elif location.endswith(".csv"):
        text.writelines(f"{','.join(map(_csv_value, row))}\n" for row in [answer.columns, *answer.rows])
    else:
        location += "-manifest.csv"
        text.writelines(f"{address}\n" for address in answer.manifest)
        execution["Statistics"]["DataManifestLocation"] = location
    bucket, key = s3_overrides.bucket_and_key(location)
    iam.require("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
    s3_overrides.write(bucket, key, text.getvalue().encode(), "application/octet-stream")
    s3_overrides.write(bucket, f"{key}.metadata", b"", "application/octet-stream")


def _add_update_count(function):
    """Adds the update count: the result of an INSERT is the number of rows written, without rows."""

    def get_query_results(request: dict) -> tuple:
        status, headers, body = function(request)
        if status == 200:
            execution, answer = athena._executions[request["QueryExecutionId"]], json.loads(body)
            answer["UpdateCount"] = execution["_written"]
            if execution["_results"]["columns"] == ["rows"] and not execution["_results"]["rows"]:
                answer["ResultSet"]["Rows"] = []
            body = json.dumps(answer).encode()
        return status, headers, body

    return get_query_results


def _create_workgroup(function):
    def create_workgroup(request: dict) -> tuple:
        if not _WORKGROUP_NAME.fullmatch(request["Name"]):
            return _invalid_request("1 validation error detected: Value at 'name' failed to satisfy constraint")
        if request["Name"] in athena._workgroups:
            return _invalid_request("WorkGroup is already created")
        return function(request)

    return create_workgroup


def _requires_workgroup(function):
    def require_workgroup(request: dict) -> tuple:
        if request["WorkGroup"] not in athena._workgroups:
            return _invalid_request(f"WorkGroup {request['WorkGroup']} is not found.")
        return function(request)

    return require_workgroup


def _get_workgroup(function):
    def get_workgroup(request: dict) -> tuple:
        settings = athena._workgroups[request["WorkGroup"]]["Configuration"]
        settings["EngineVersion"] = {**_ENGINE, **settings.get("EngineVersion", {"SelectedEngineVersion": "AUTO"})}
        return function(request)

    return get_workgroup


def _update_workgroup(function):
    def update_workgroup(request: dict) -> tuple:
        if request.get("ConfigurationUpdates", {}).get(f"Remove{_CUTOFF}"):
            athena._workgroups[request["WorkGroup"]]["Configuration"].pop(_CUTOFF, None)
        return function(request)

    return update_workgroup


def _delete_workgroup(function):
    def delete_workgroup(request: dict) -> tuple:
        name = request["WorkGroup"]
        kept = [*athena._executions.values(), *athena._named_queries.values()]
        if any(one.get("WorkGroup") == name for one in kept) and not request.get("RecursiveDeleteOption"):
            return _invalid_request(f"WorkGroup {name} is not empty")
        for known in (athena._executions, athena._named_queries):
            for one in [key for key, value in known.items() if value.get("WorkGroup") == name]:
                del known[one]
        return function(request)

    return delete_workgroup
