"""Athena's API: workgroups, and queries from their start to their answer.

What may live here: what a caller of the API sees. What a statement does is in athena_ddl.py and athena_query.py.
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
# What a running statement does, and gives.
_Work = Callable[[], athena_query.Answer]


def install() -> None:
    """Takes the place of ministack's functions."""
    athena._start_query_execution = _start
    athena._get_query_results = _with_update_count(athena._get_query_results)
    athena._create_workgroup = _create_workgroup(athena._create_workgroup)
    athena._get_workgroup = _of_a_workgroup(_get_workgroup(athena._get_workgroup))
    athena._update_workgroup = _of_a_workgroup(_update_workgroup(athena._update_workgroup))
    athena._delete_workgroup = _of_a_workgroup(_delete_workgroup(athena._delete_workgroup))


def _refused(message: str, **more: str) -> tuple:
    return error_response_json("InvalidRequestException", message, 400, extra=more)


def _start(request: dict) -> tuple:
    workgroup = athena._workgroups.get(request.get("WorkGroup", "primary"))
    if workgroup is None:
        return _refused(f"WorkGroup {request['WorkGroup']} is not found.")
    if workgroup["State"] != "ENABLED":
        return _refused(f"WorkGroup {workgroup['Name']} is disabled.")
    token = request.get("ClientRequestToken")
    for query_id, execution in athena._executions.items():
        if token and execution["_token"] == token:
            if execution["Query"] != request["QueryString"]:
                return _refused("Idempotent parameters do not match")
            return json_response({"QueryExecutionId": query_id})
    settings = workgroup["Configuration"]
    location = _output_location(request, settings)
    if not location:
        text = "No output location provided. An output location is required either through the Workgroup result "
        return _refused(f"{text}configuration setting or as an API input.")
    bucket, _ = s3_overrides.bucket_and_key(location)
    if bucket not in s3_overrides.s3._buckets or iam.denial("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"):
        return _refused(f"Unable to verify/create output bucket {bucket}")

    text, query_id = request["QueryString"], str(uuid.uuid4())
    context = {"Database": "default", "Catalog": "AwsDataCatalog", **request.get("QueryExecutionContext", {})}
    try:
        kind, work = _understand(text, context["Database"].lower())
    except trino_sql.SqlError as error:
        return _refused(f"line 1:1: {error}", AthenaErrorCode="MALFORMED_QUERY")
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
    # The loop alone would not keep it from being collected.
    execution["_task"] = asyncio.create_task(_execute(execution, work, settings.get(_CUTOFF)))
    return json_response({"QueryExecutionId": query_id})


def _output_location(request: dict, settings: dict) -> str | None:
    """The workgroup's, if it insists or the request names none."""
    own = settings.get("ResultConfiguration", {}).get("OutputLocation")
    asked = request.get("ResultConfiguration", {}).get("OutputLocation")
    return own if settings.get("EnforceWorkGroupConfiguration") else asked or own


def _understand(text: str, database: str) -> tuple[str, _Work]:
    """What kind of statement it is, and how to run it."""
    tokens = list(athena._sql_tokens(text))
    signs = [place for place, token in enumerate(tokens) if token[:2] == ("punct", ";")]
    if not tokens:
        raise trino_sql.SqlError("mismatched input '<EOF>'. Expecting: a statement")
    if signs == [len(tokens) - 1]:
        # Athena lets this pass for some statements. What is sent shall not depend on that.
        raise trino_sql.SqlError("mismatched input ';'. Expecting: <EOF>. A statement ends without a semicolon")
    if signs:
        raise trino_sql.SqlError(f"Only one sql statement is allowed. Got: {text}")
    if run := athena_ddl.parse(text):
        return "DDL", lambda: athena_query.Answer(["result"], ["varchar"], [[line] for line in run(database)])
    if tokens[0][1] not in _QUERY_WORDS:
        raise trino_sql.SqlError(f"mismatched input '{tokens[0][1]}' (or a statement the emulator doesn't know)")
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
    # Athena's own calls come over TLS, whatever its caller's came over.
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
    execution["_column_types"] = [trino_sql.answer_type(kind) for kind in answer.types]
    execution["_written"] = answer.written
    status["State"] = "SUCCEEDED"


def _csv_value(value: str | None) -> str:
    """Always quoted, which tells a NULL from an empty text."""
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


def _save(execution: dict, answer: athena_query.Answer) -> None:
    """Writes the answer where Athena writes it."""
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


def _with_update_count(function):
    """An INSERT's answer is how many rows it wrote, and no row."""

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
            return _refused("1 validation error detected: Value at 'name' failed to satisfy constraint")
        if request["Name"] in athena._workgroups:
            return _refused("WorkGroup is already created")
        return function(request)

    return create_workgroup


def _of_a_workgroup(function):
    def refuses_without(request: dict) -> tuple:
        if request["WorkGroup"] not in athena._workgroups:
            return _refused(f"WorkGroup {request['WorkGroup']} is not found.")
        return function(request)

    return refuses_without


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
            return _refused(f"WorkGroup {name} is not empty")
        for known in (athena._executions, athena._named_queries):
            for one in [key for key, value in known.items() if value.get("WorkGroup") == name]:
                del known[one]
        return function(request)

    return delete_workgroup
