"""Parses a recorded HTTP request into an operation of AWS's public service models and its parameters.

Each protocol has two functions: one finds the operation, the other reads its parameters. Nothing comes from the Rust SDK:
the request is parsed from its bytes, following the bindings of the service model that botocore ships. A request that
cannot be parsed raises `RequestError`.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from awscrt import checksums

# Headers that belong to the signature or identify the client. Any other x-amz-* header must be a member of the operation.
COMMON_HEADERS = {"x-amz-date", "x-amz-content-sha256", "x-amz-user-agent"}
CRC64NVME = "x-amz-checksum-crc64nvme"
CHECKSUMS = {
    "content-md5": lambda body: hashlib.md5(body).digest(),
    "x-amz-checksum-crc32": lambda body: checksums.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-crc32c": lambda body: checksums.crc32c(body).to_bytes(4, "big"),
    CRC64NVME: lambda body: checksums.crc64nvme(body).to_bytes(8, "big"),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
}


class RequestError(Exception):
    """The request does not match any operation of the service model."""


@dataclass(frozen=True)
class Request:
    """A request as received. Header names are in lower case."""

    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


def json_operation(service, request):
    prefix, _, name = request.headers.get("x-amz-target", "").partition(".")
    if prefix != service.metadata["targetPrefix"] or name not in service.operation_names:
        raise RequestError(f"{service.service_name} has no operation {prefix}.{name}")
    if (request.method, request.target) != ("POST", "/"):
        raise RequestError(f"{name} was sent as {request.method} {request.target}")
    if request.headers.get("content-type") != f"application/x-amz-json-{service.metadata['jsonVersion']}":
        raise RequestError(f"{name} has content type {request.headers.get('content-type')}")
    return service.operation_model(name)


def json_parameters(operation, request):
    if unknown := amz_headers(request) - {"x-amz-target"}:
        raise RequestError(f"{operation.name} takes no headers {unknown}")
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise RequestError(f"the body is not JSON: {error}") from None


def query_operation(service, request):
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    if form.get("Action") not in service.operation_names or form.get("Version") != service.api_version:
        raise RequestError(f"{service.service_name} has no operation {form}")
    if (request.method, request.target) != ("POST", "/"):
        raise RequestError(f"{form['Action']} was sent as {request.method} {request.target}")
    return service.operation_model(form["Action"])


def query_parameters(operation, request):
    """Reads flat string parameters only; structures would show up as unknown members."""
    if unknown := amz_headers(request):
        raise RequestError(f"{operation.name} takes no headers {unknown}")
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return {name: value for name, value in form.items() if name not in ("Action", "Version")}


def amz_headers(request):
    return {name for name in request.headers if name.startswith("x-amz-")} - COMMON_HEADERS


def s3_operation(service, request):
    """Finds the operation whose path, query and required members match; the most specific one if several do."""
    bucket, _, key = request.path.removeprefix("/").partition("/")
    path = "/{Bucket}/{Key+}" if key else "/{Bucket}" if bucket else "/"
    candidates = {}
    for name in service.operation_names:
        operation = service.operation_model(name)
        uri, literals = uri_of(operation)
        if operation.deprecated or (operation.http["method"], uri) != (request.method, path):
            continue
        required = operation.input_shape.required_members if operation.input_shape else []
        bindings = [binding(operation.input_shape, member) for member in required]
        in_query = [wire_name for location, wire_name in bindings if location == "querystring"]
        in_headers = [wire_name.lower() for location, wire_name in bindings if location == "header"]
        has_all = literals.items() <= request.query.items() and request.query.keys() >= {*in_query}
        if has_all and request.headers.keys() >= {*in_headers}:
            candidates[name] = len(literals) + len(in_query) + len(in_headers)
    closest = [name for name, n_bound in candidates.items() if n_bound == max(candidates.values())]
    if len(closest) != 1 or request.query.get("x-id", closest[0]) != closest[0]:
        raise RequestError(f"{request.method} {request.target} matches no single operation; candidates: {closest}")
    return service.operation_model(closest[0])


def uri_of(operation):
    uri, _, literals = operation.http["requestUri"].partition("?")
    return uri, dict(parse_qsl(literals, keep_blank_values=True))


def binding(shape, member):
    """Returns a member's location in the HTTP request and its name there."""
    serialization = shape.members[member].serialization
    return serialization.get("location"), serialization.get("name", member)


def s3_parameters(operation, request):
    shape = operation.input_shape
    _, literals = uri_of(operation)
    query = {name: value for name, value in request.query.items() if name != "x-id" and name not in literals}
    bucket, _, key = unquote(request.path).removeprefix("/").partition("/")
    locations = {"uri": {"Bucket": bucket, "Key": key}, "querystring": query, "header": request.headers}
    parameters, read = {}, set()
    for member, member_shape in shape.members.items():
        location, wire_name = binding(shape, member)
        wire_name = wire_name.lower() if location == "header" else wire_name
        if location in locations and wire_name in locations[location]:
            parameters[member] = scalar(member_shape, locations[location][wire_name])
            read.add(wire_name)
    checksum_headers = {*CHECKSUMS, "x-amz-sdk-checksum-algorithm"} if operation.http_checksum else set()
    if unknown := (query.keys() | amz_headers(request)) - read - checksum_headers:
        raise RequestError(f"{operation.name} has no parameter {unknown}")
    payload = shape.serialization.get("payload")
    if payload and request.body:
        parameters[payload] = s3_payload(payload, shape.members[payload], request.body)
    elif request.body:
        raise RequestError(f"{operation.name} takes no body, but one was sent: {request.body[:100]}")
    return parameters


def s3_payload(name, shape, body):
    if shape.type_name != "structure":
        return body.decode() if shape.type_name == "string" else body
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise RequestError(f"the body is not XML: {error}") from None
    # S3 rejects a document as malformed unless every element is in the namespace.
    namespace = f"{{{shape.serialization['xmlNamespace']['uri']}}}"
    if root.tag != namespace + shape.serialization.get("name", name):
        raise RequestError(f"the body is a {root.tag}")
    return from_xml(shape, root, namespace)


def from_xml(shape, element, namespace):
    if element.attrib:
        raise RequestError(f"{element.tag} has attributes: {element.attrib}")
    if shape.type_name == "list":
        name = namespace + shape.member.serialization.get("name", "member")
        if any(child.tag != name for child in element):
            raise RequestError(f"{element.tag} is a list of {name}, but contains {[child.tag for child in element]}")
        return [from_xml(shape.member, child, namespace) for child in element]
    if shape.type_name != "structure":
        if len(element):
            raise RequestError(f"{element.tag} is a {shape.type_name}, but has child elements")
        return scalar(shape, element.text or "")
    members = {namespace + member.serialization.get("name", name): name for name, member in shape.members.items()}
    values = {}
    for child in element:
        if child.tag not in members:
            raise RequestError(f"{element.tag} has an unknown child {child.tag}")
        name = members[child.tag]
        member = shape.members[name]
        if member.serialization.get("flattened"):
            values.setdefault(name, []).append(from_xml(member.member, child, namespace))
        elif name in values:
            raise RequestError(f"{element.tag} has {child.tag} twice")
        else:
            values[name] = from_xml(member, child, namespace)
    return values


def rest_operation(service, request):
    """Finds the operation whose path matches; the one with the fewest placeholders if several do."""
    candidates = {}
    for name in service.operation_names:
        operation = service.operation_model(name)
        uri, literals = uri_of(operation)
        is_it = operation.http["method"] == request.method and literals.items() <= request.query.items()
        if is_it and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", uri), request.path):
            candidates[name] = uri.count("{")
    closest = [name for name, n_placeholders in candidates.items() if n_placeholders == min(candidates.values())]
    if len(closest) != 1:
        raise RequestError(f"{request.method} {request.target} matches no single operation; candidates: {closest}")
    return service.operation_model(closest[0])


def rest_parameters(operation, request):
    """Reads the parameters from the path, the query and the JSON body. None of these operations binds a header."""
    if unknown := amz_headers(request):
        raise RequestError(f"{operation.name} takes no headers {unknown}")
    shape = operation.input_shape
    uri, literals = uri_of(operation)
    path_values = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", uri), request.path).groupdict()
    locations = {
        "uri": {wire_name: unquote(value) for wire_name, value in path_values.items()},
        "querystring": {name: value for name, value in request.query.items() if name not in literals},
    }
    body_members = {member for member in shape.members if binding(shape, member)[0] is None}
    parameters = rest_body(operation, request, body_members)
    for member in shape.members.keys() - body_members:
        location, wire_name = binding(shape, member)
        if location not in locations:
            raise RequestError(f"{operation.name} binds {member} to {location}, which this parser does not support")
        if wire_name in locations[location]:
            parameters[member] = scalar(shape.members[member], locations[location].pop(wire_name))
    if locations["querystring"]:
        raise RequestError(f"{operation.name} has no parameter {locations['querystring']}")
    return parameters


def rest_body(operation, request, members):
    if not members:
        if request.body:
            raise RequestError(f"{operation.name} takes no body, but one was sent: {request.body[:100]}")
        return {}
    if request.headers.get("content-type") != "application/json":
        raise RequestError(f"{operation.name} has content type {request.headers.get('content-type')}")
    try:
        body = json.loads(request.body, object_pairs_hook=unique_keys)
    except ValueError as error:
        raise RequestError(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise RequestError(f"the body is not a JSON object: {request.body[:100]}")
    if unknown := body.keys() - members:
        raise RequestError(f"the body of {operation.name} has unknown members {unknown}")
    return body


def unique_keys(pairs):
    """Builds an object and rejects duplicate keys, of which other parsers silently keep the first or the last."""
    keys = [key for key, _ in pairs]
    if len({*keys}) != len(keys):
        raise ValueError(f"duplicate key in {keys}")
    return dict(pairs)


def scalar(shape, text):
    """Converts a string to the shape's type; returns it unchanged if it does not fit, for the validator to reject."""
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


OPERATION_OF = {
    "rest-xml": s3_operation,
    "rest-json": rest_operation,
    "json": json_operation,
    "query": query_operation,
}
PARAMETERS_OF = {
    "rest-xml": s3_parameters,
    "rest-json": rest_parameters,
    "json": json_parameters,
    "query": query_parameters,
}
