"""What AWS's public model says of QuickSight: what operation a request is, its parameters, and what is wrong with them.

What may live here: nothing that knows of a data set or a dashboard. botocore carries the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator


class Refused(Exception):
    """QuickSight refuses a call."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status that belongs to the code."""
        shapes = service().shape_names
        return service().shape_for(self.code).metadata["error"]["httpStatusCode"] if self.code in shapes else 400


def invalid(message: str) -> Refused:
    """The refusal of a value."""
    return Refused("InvalidParameterValueException", message)


@cache
def service() -> ServiceModel:
    """The whole model."""
    return botocore.session.Session().get_service_model("quicksight")


def read(method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[OperationModel, dict]:
    """The operation and its parameters, unchecked but for their places: nothing else may be in the request."""
    operation, in_path = _operation(method, path)
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused("SerializationException", f"the body is not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise Refused("SerializationException", "the body is not a JSON object")
    left = dict(query)
    for name, shape in operation.input_shape.members.items():
        place, wire = shape.serialization.get("location"), shape.serialization.get("name", name)
        if place and name in parameters:
            raise invalid(f"{name} belongs to the address, not to the body")
        if place == "uri":
            parameters[name] = _scalar(shape, in_path[wire])
        elif place == "querystring" and wire in left:
            parameters[name] = _scalar(shape, left.pop(wire)[0])
    if left:
        raise invalid(f"{operation.name} knows no {', '.join(left)}")
    return operation, parameters


def check(operation: OperationModel, parameters: dict) -> None:
    """Refuses what the model doesn't allow."""
    report = ParamValidator().validate(parameters, operation.input_shape)
    problems = report.generate_report().splitlines()
    # They can be looked for only in values of the right types.
    problems += [] if problems else _broken(parameters, operation.input_shape, "")
    if problems:
        text = f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected: "
        raise invalid(text + "; ".join(problems))


def structures(value: object, shape: Shape, where: str = "") -> Iterator[tuple[Shape, dict, str]]:
    """All structures in a value, with their shapes and places, from the outside in."""
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
    """The data sources that a request makes a data set of."""
    tables = (table for entry in request.get("PhysicalTableMap", {}).values() for table in entry.values())
    return sorted({table["DataSourceArn"] for table in tables if "DataSourceArn" in table})


def refusal(error: Refused, request_id: str) -> tuple:
    """The answer to a call that is refused."""
    status, headers, body = response(error.status, {"Message": str(error), "RequestId": request_id})
    return status, {**headers, "x-amzn-errortype": error.code}, body


def response(status: int, body: dict) -> tuple:
    """An answer of REST-JSON."""
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


@cache
def _routes() -> list[tuple[str, re.Pattern, str]]:
    """Methods, paths and operations, those with the fewest placeholders first."""
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
    raise Refused("UnknownOperationException", f"{method} {path} is no operation")


def _scalar(shape: Shape, text: str) -> int | str:
    """As it came if it isn't what the model says, which `check` then refuses."""
    is_number = shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text)
    return int(text) if is_number else text


def _broken(value: object, shape: Shape, where: str) -> Iterator[str]:
    """What the model says beyond what botocore checks."""
    kind, constraints = shape.type_name, shape.metadata
    if kind == "structure":
        for name in value:
            yield from _broken(value[name], shape.members[name], f"{where}.{name}")
    elif kind == "list":
        for index, item in enumerate(value):
            yield from _broken(item, shape.member, f"{where}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from _broken(key, shape.key, f"{where} key {key}")
            yield from _broken(item, shape.value, f"{where}.{key}")
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
    """Java's as Python's, which has no surrogates in its texts."""
    return rf"\A(?:{text})\Z".replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF") if text else ""
