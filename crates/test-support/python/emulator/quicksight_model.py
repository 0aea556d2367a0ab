"""QuickSight's protocol, from AWS's public service model that botocore ships: routing, parameters and their validation.

Knows nothing about data sets and dashboards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator


class ServiceError(Exception):
    """An error that QuickSight returns for a call."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status of the error code."""
        shapes = service().shape_names
        return service().shape_for(self.code).metadata["error"]["httpStatusCode"] if self.code in shapes else 400


def invalid(message: str) -> ServiceError:
    """Returns the error for an invalid parameter value."""
    return ServiceError("InvalidParameterValueException", message)


@cache
def service() -> ServiceModel:
    """Loads the service model."""
    return botocore.session.Session().get_service_model("quicksight")


def read(method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[OperationModel, dict]:
    """Parses a request into its operation and parameters. Checks only that each parameter is in its proper location."""
    operation, path_values = _operation(method, path)
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"the body is not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise ServiceError("SerializationException", "the body is not a JSON object")
    remaining = dict(query)
    for name, shape in operation.input_shape.members.items():
        location, wire_name = shape.serialization.get("location"), shape.serialization.get("name", name)
        if location and name in parameters:
            raise invalid(f"{name} belongs to the URL, not to the body")
        if location == "uri":
            parameters[name] = _scalar(shape, path_values[wire_name])
        elif location == "querystring" and wire_name in remaining:
            parameters[name] = _scalar(shape, remaining.pop(wire_name)[0])
    if remaining:
        raise invalid(f"{operation.name} has no parameter {', '.join(remaining)}")
    return operation, parameters


def check(operation: OperationModel, parameters: dict) -> None:
    """Raises an error unless the parameters satisfy the model."""
    report = ParamValidator().validate(parameters, operation.input_shape)
    problems = report.generate_report().splitlines()
    # Constraints can be checked only on values of the right types.
    problems += [] if problems else _violated_constraints(parameters, operation.input_shape, "")
    if problems:
        text = f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected: "
        raise invalid(text + "; ".join(problems))


def structures(value: object, shape: Shape, where: str = "") -> Iterator[tuple[Shape, dict, str]]:
    """Yields all structures in a value with their shapes and paths, outermost first."""
    if shape.type_name == "structure":
        yield shape, value, where
        for name in value:
            yield from structures(value[name], shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from structures(item, shape.member, f"{where}[{index}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from structures(item, shape.value, f"{where}.{key}")


def source_arns(request: dict) -> list[str]:
    """Returns the ARNs of the data sources that a data set request uses."""
    tables = (table for entry in request.get("PhysicalTableMap", {}).values() for table in entry.values())
    return sorted({table["DataSourceArn"] for table in tables if "DataSourceArn" in table})


def error_response(error: ServiceError, request_id: str) -> tuple:
    """Builds an error response."""
    status, headers, body = response(error.status, {"Message": str(error), "RequestId": request_id})
    return status, {**headers, "x-amzn-errortype": error.code}, body


def response(status: int, body: dict) -> tuple:
    """Builds a REST-JSON response."""
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


@cache
def _routes() -> list[tuple[str, re.Pattern, str]]:
    """Returns (method, path pattern, operation), those with the fewest placeholders first."""
    found = []
    for name in service().operation_names:
        http = service().operation_model(name).http
        found.append((http["method"], http["requestUri"].partition("?")[0], name))
    found.sort(key=lambda route: route[1].count("{"))
    return [(method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", uri)), name) for method, uri, name in found]


def _operation(method: str, path: str) -> tuple[OperationModel, dict[str, str]]:
    for known, pattern, name in _routes():
        if known == method and (match := pattern.fullmatch(path)):
            return service().operation_model(name), match.groupdict()
    raise ServiceError("UnknownOperationException", f"{method} {path} matches no operation")


def _scalar(shape: Shape, text: str) -> int | str:
    """Converts a string to the shape's type; returns it unchanged if it does not fit, for `check` to reject."""
    is_number = shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text)
    return int(text) if is_number else text


def _violated_constraints(value: object, shape: Shape, where: str) -> Iterator[str]:
    """Yields violations of the constraints that botocore does not check."""
    kind, constraints = shape.type_name, shape.metadata
    if kind == "structure":
        for name in value:
            yield from _violated_constraints(value[name], shape.members[name], f"{where}.{name}")
    elif kind == "list":
        for index, item in enumerate(value):
            yield from _violated_constraints(item, shape.member, f"{where}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from _violated_constraints(key, shape.key, f"{where} key {key}")
            yield from _violated_constraints(item, shape.value, f"{where}.{key}")
    start = f"Value at '{where.removeprefix('.')}' failed to satisfy constraint: Member must"
    if kind == "timestamp" and isinstance(value, str):
        yield f"{start} be a number of seconds"
    size = value if isinstance(value, (int, float)) else len(value) if hasattr(value, "__len__") else 0
    if size > constraints.get("max", size):
        yield f"{start} have length less than or equal to {constraints['max']}"
    if value not in constraints.get("enum", [value]):
        yield f"{start} satisfy enum value set: {constraints['enum']}"
    if kind == "string" and not re.search(_pattern(constraints.get("pattern", "")), value):
        yield f"{start} satisfy regular expression pattern: {constraints['pattern']}"


def _pattern(text: str) -> str:
    """Converts a Java regular expression to Python, whose strings have no surrogates."""
    return rf"\A(?:{text})\Z".replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF") if text else ""
