"""Changes to ministack's Glue: behaviour and validation of AWS that it lacks.

One function per change, plus functions with which the other modules read the catalogue.
"""

from __future__ import annotations

import json

import duckdb
from ministack.core.responses import error_response_json, json_response
from ministack.services import glue

MAX_BATCH_CREATE = 100
MAX_BATCH_DELETE = 25
MAX_PAGE_SIZE = 1000


class GlueError(Exception):
    """Glue returned an error to an internal call."""


def install() -> None:
    """Replaces ministack's functions."""
    dispatch = glue._handle_request_sync

    def handle(method: str, path: str, headers: dict, body: bytes, query: dict) -> tuple:
        if headers.get("x-amz-target", "").endswith(".BatchDeletePartition"):  # ministack has none
            return _batch_delete_partition(json.loads(body))
        return dispatch(method, path, headers, body, query)

    glue._handle_request_sync = handle
    glue._get_partitions = _get_partitions
    glue._get_tables = _requires_database(glue._get_tables)
    glue._update_table = _replace_whole_table(glue._update_table)
    for name in ("_create_partition", "_delete_partition", "_get_partition", "_batch_get_partition"):
        setattr(glue, name, _requires_table(getattr(glue, name)))
    glue._batch_create_partition = _requires_table(_batch_create(glue._batch_create_partition))


def call(function, request: dict) -> dict:
    """Calls one of ministack's functions and returns its parsed response."""
    status, _, body = function(request)
    answer = json.loads(body or b"{}")
    if status >= 300:
        raise GlueError(answer.get("message", answer.get("__type")))
    return answer


def table(database: str, name: str) -> dict | None:
    """Returns a table or view of the catalogue, or None."""
    return glue._tables.get(f"{database}/{name}")


def partitions(database: str, name: str) -> list[dict]:
    """Returns the registered partitions of a table."""
    return list(glue._partitions.get(f"{database}/{name}") or [])


def _not_found(what: str) -> tuple:
    return error_response_json("EntityNotFoundException", f"{what} not found.", 400)


def _invalid(list_name: str, most: int) -> tuple:
    text = f"1 validation error detected: Value at '{list_name}' failed to satisfy constraint: "
    text += f"Member must have length less than or equal to {most}"
    return error_response_json("ValidationException", text, 400)


def _requires_database(function):
    def require_database(request: dict) -> tuple:
        name = request.get("DatabaseName")
        return function(request) if name in glue._databases else _not_found(f"Database {name}")

    return require_database


def _requires_table(function):
    def require_table(request: dict) -> tuple:
        name = request.get("TableName")
        if table(request.get("DatabaseName"), name) is None:
            return _not_found(f"Table {name}")
        return function(request)

    return _requires_database(require_table)


def _replace_whole_table(function):
    """Resets the members that UpdateTable omits: AWS replaces the whole table, ministack keeps them."""
    defaults = {"Description": "", "Owner": "", "Parameters": {}, "PartitionKeys": [], "StorageDescriptor": {}}
    defaults |= {"ViewOriginalText": None, "ViewExpandedText": None}

    def update_table(request: dict) -> tuple:
        return function({**request, "TableInput": {**defaults, **request.get("TableInput", {})}})

    return update_table


def _batch_create(function):
    def batch_create_partition(request: dict) -> tuple:
        inputs = request.get("PartitionInputList", [])
        if len(inputs) > MAX_BATCH_CREATE:
            return _invalid("partitionInputList", MAX_BATCH_CREATE)
        keys = len(table(request["DatabaseName"], request["TableName"]).get("PartitionKeys") or [])
        if any(len(one.get("Values", [])) != keys for one in inputs):
            text = "The number of partition keys do not match the number of partition values"
            return error_response_json("InvalidInputException", text, 400)
        return function(request)

    return batch_create_partition


def _batch_delete_partition(request: dict) -> tuple:
    return _requires_table(_delete_partitions)(request)


def _delete_partitions(request: dict) -> tuple:
    wanted = [one["Values"] for one in request.get("PartitionsToDelete", [])]
    if len(wanted) > MAX_BATCH_DELETE:
        return _invalid("partitionsToDelete", MAX_BATCH_DELETE)
    key = f"{request['DatabaseName']}/{request['TableName']}"
    existing = glue._partitions.get(key) or []
    glue._partitions[key] = [one for one in existing if one["Values"] not in wanted]
    known = [one["Values"] for one in existing]
    missing = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found."}
    errors = [{"PartitionValues": values, "ErrorDetail": missing} for values in wanted if values not in known]
    return json_response({"Errors": errors} if errors else {})


def _get_partitions(request: dict) -> tuple:
    """Implements GetPartitions with Expression and pagination, which ministack ignores."""
    return _requires_table(_page_of_partitions)(request)


def _page_of_partitions(request: dict) -> tuple:
    found = partitions(request["DatabaseName"], request["TableName"])
    if expression := request.get("Expression"):
        keys = table(request["DatabaseName"], request["TableName"])["PartitionKeys"]
        try:
            found = [one for one in found if _matches(one["Values"], keys, expression)]
        except duckdb.Error as error:
            return error_response_json("InvalidInputException", f"Unsupported expression '{expression}': {error}", 400)
    start = int(request.get("NextToken") or 0)
    end = start + min(int(request.get("MaxResults") or MAX_PAGE_SIZE), MAX_PAGE_SIZE)
    page = [dict(one) for one in found[start:end]]
    if request.get("ExcludeColumnSchema"):
        for one in page:
            storage = one.get("StorageDescriptor", {})
            one["StorageDescriptor"] = {name: storage[name] for name in storage if name != "Columns"}
    return json_response({"Partitions": page} | ({"NextToken": str(end)} if end < len(found) else {}))


def _matches(values: list[str], keys: list[dict], expression: str) -> bool:
    names = ", ".join(f'"{key["Name"]}"' for key in keys)
    row = ", ".join("?" for _ in values)
    query = f"SELECT count(*) FROM (VALUES ({row})) AS partition({names}) WHERE {expression}"
    with duckdb.connect() as connection:
        return connection.execute(query, values).fetchone() == (1,)
