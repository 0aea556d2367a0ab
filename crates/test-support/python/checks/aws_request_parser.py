"""Reads a recorded request back into an operation of AWS's public service models and its parameters.

A pair of functions for each of the protocols: which operation it is, and what it says. Nothing is taken from the Rust SDK:
a request is read from its bytes, by the bindings of the model, which botocore carries. What can't be read is `Wrong`.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from awscrt import checksums

# What belongs to the signature or only says who asks. Any other header of AWS's must be a member of the operation.
NOT_MEMBERS = {"x-amz-date", "x-amz-content-sha256", "x-amz-user-agent"}
CRC64NVME = "x-amz-checksum-crc64nvme"
CHECKSUMS = {
    "content-md5": lambda body: hashlib.md5(body).digest(),
    "x-amz-checksum-crc32": lambda body: checksums.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-crc32c": lambda body: checksums.crc32c(body).to_bytes(4, "big"),
    CRC64NVME: lambda body: checksums.crc64nvme(body).to_bytes(8, "big"),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
}


class Wrong(Exception):
    """A request that can't be read as one of an operation."""


@dataclass(frozen=True)
class Request:
    """As it came. Names of headers are in lower case."""

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
        raise Wrong(f"{service.service_name} has no operation {prefix}.{name}")
    if (request.method, request.target) != ("POST", "/"):
        raise Wrong(f"{name} comes as {request.method} {request.target}")
    if request.headers.get("content-type") != f"application/x-amz-json-{service.metadata['jsonVersion']}":
        raise Wrong(f"{name} comes as {request.headers.get('content-type')}")
    return service.operation_model(name)


def json_parameters(operation, request):
    if unknown := amz_headers(request) - {"x-amz-target"}:
        raise Wrong(f"{operation.name} knows no headers {unknown}")
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise Wrong(f"the body is not JSON: {error}") from None


def query_operation(service, request):
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    if form.get("Action") not in service.operation_names or form.get("Version") != service.api_version:
        raise Wrong(f"{service.service_name} has no operation {form}")
    if (request.method, request.target) != ("POST", "/"):
        raise Wrong(f"{form['Action']} comes as {request.method} {request.target}")
    return service.operation_model(form["Action"])


def query_parameters(operation, request):
    """Only texts at the top: structures would come as unknown members."""
    if unknown := amz_headers(request):
        raise Wrong(f"{operation.name} knows no headers {unknown}")
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return {name: value for name, value in form.items() if name not in ("Action", "Version")}


def amz_headers(request):
    return {name for name in request.headers if name.startswith("x-amz-")} - NOT_MEMBERS


def s3_operation(service, request):
    """Of all operations whose path, query and required members fit, the one that fits most closely."""
    bucket, _, key = request.path.removeprefix("/").partition("/")
    path = "/{Bucket}/{Key+}" if key else "/{Bucket}" if bucket else "/"
    fitting = {}
    for name in service.operation_names:
        operation = service.operation_model(name)
        uri, literals = uri_of(operation)
        if operation.deprecated or (operation.http["method"], uri) != (request.method, path):
            continue
        required = operation.input_shape.required_members if operation.input_shape else []
        bindings = [binding(operation.input_shape, member) for member in required]
        in_query = [wire for place, wire in bindings if place == "querystring"]
        in_headers = [wire.lower() for place, wire in bindings if place == "header"]
        has_all = literals.items() <= request.query.items() and request.query.keys() >= {*in_query}
        if has_all and request.headers.keys() >= {*in_headers}:
            fitting[name] = len(literals) + len(in_query) + len(in_headers)
    closest = [name for name, closeness in fitting.items() if closeness == max(fitting.values())]
    if len(closest) != 1 or request.query.get("x-id", closest[0]) != closest[0]:
        raise Wrong(f"{request.method} {request.target} is no operation, but could be one of {closest}")
    return service.operation_model(closest[0])


def uri_of(operation):
    uri, _, literals = operation.http["requestUri"].partition("?")
    return uri, dict(parse_qsl(literals, keep_blank_values=True))


def binding(shape, member):
    """Where a member goes, and its name there."""
    serialization = shape.members[member].serialization
    return serialization.get("location"), serialization.get("name", member)


def s3_parameters(operation, request):
    shape = operation.input_shape
    _, literals = uri_of(operation)
    query = {name: value for name, value in request.query.items() if name != "x-id" and name not in literals}
    bucket, _, key = unquote(request.path).removeprefix("/").partition("/")
    places = {"uri": {"Bucket": bucket, "Key": key}, "querystring": query, "header": request.headers}
    parameters, read = {}, set()
    for member, member_shape in shape.members.items():
        place, wire = binding(shape, member)
        wire = wire.lower() if place == "header" else wire
        if place in places and wire in places[place]:
            parameters[member] = scalar(member_shape, places[place][wire])
            read.add(wire)
    trait = {*CHECKSUMS, "x-amz-sdk-checksum-algorithm"} if operation.http_checksum else set()
    if unknown := (query.keys() | amz_headers(request)) - read - trait:
        raise Wrong(f"{operation.name} knows no {unknown}")
    payload = shape.serialization.get("payload")
    if payload and request.body:
        parameters[payload] = s3_payload(payload, shape.members[payload], request.body)
    elif request.body:
        raise Wrong(f"{operation.name} has no body, but here is one: {request.body[:100]}")
    return parameters


def s3_payload(name, shape, body):
    if shape.type_name != "structure":
        return body.decode() if shape.type_name == "string" else body
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise Wrong(f"the body is not XML: {error}") from None
    # Every element must be in the namespace; without it S3 takes a document for malformed.
    namespace = f"{{{shape.serialization['xmlNamespace']['uri']}}}"
    if root.tag != namespace + shape.serialization.get("name", name):
        raise Wrong(f"the body is a {root.tag}")
    return from_xml(shape, root, namespace)


def from_xml(shape, element, namespace):
    if element.attrib:
        raise Wrong(f"{element.tag} has attributes: {element.attrib}")
    if shape.type_name == "list":
        name = namespace + shape.member.serialization.get("name", "member")
        if any(child.tag != name for child in element):
            raise Wrong(f"{element.tag} is a list of {name}, but holds {[child.tag for child in element]}")
        return [from_xml(shape.member, child, namespace) for child in element]
    if shape.type_name != "structure":
        if len(element):
            raise Wrong(f"{element.tag} is a {shape.type_name}, but holds elements")
        return scalar(shape, element.text or "")
    members = {namespace + member.serialization.get("name", name): name for name, member in shape.members.items()}
    values = {}
    for child in element:
        if child.tag not in members:
            raise Wrong(f"{element.tag} knows no {child.tag}")
        name = members[child.tag]
        member = shape.members[name]
        if member.serialization.get("flattened"):
            values.setdefault(name, []).append(from_xml(member.member, child, namespace))
        elif name in values:
            raise Wrong(f"{element.tag} has two of {child.tag}")
        else:
            values[name] = from_xml(member, child, namespace)
    return values


def rest_operation(service, request):
    """Of all operations whose path fits, the one with the fewest places that could be anything."""
    fitting = {}
    for name in service.operation_names:
        operation = service.operation_model(name)
        uri, literals = uri_of(operation)
        is_it = operation.http["method"] == request.method and literals.items() <= request.query.items()
        if is_it and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", uri), request.path):
            fitting[name] = uri.count("{")
    closest = [name for name, places in fitting.items() if places == min(fitting.values())]
    if len(closest) != 1:
        raise Wrong(f"{request.method} {request.target} is no operation, but could be one of {closest}")
    return service.operation_model(closest[0])


def rest_parameters(operation, request):
    """From the path, the query and a JSON object; a header is a member of none of these operations."""
    if unknown := amz_headers(request):
        raise Wrong(f"{operation.name} knows no headers {unknown}")
    shape = operation.input_shape
    uri, literals = uri_of(operation)
    in_path = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", uri), request.path).groupdict()
    places = {
        "uri": {wire: unquote(value) for wire, value in in_path.items()},
        "querystring": {name: value for name, value in request.query.items() if name not in literals},
    }
    in_body = {member for member in shape.members if binding(shape, member)[0] is None}
    parameters = rest_body(operation, request, in_body)
    for member in shape.members.keys() - in_body:
        place, wire = binding(shape, member)
        if place not in places:
            raise Wrong(f"{operation.name} has a {place}, which is not known here")
        if wire in places[place]:
            parameters[member] = scalar(shape.members[member], places[place].pop(wire))
    if places["querystring"]:
        raise Wrong(f"{operation.name} knows no {places['querystring']}")
    return parameters


def rest_body(operation, request, members):
    if not members:
        if request.body:
            raise Wrong(f"{operation.name} has no body, but here is one: {request.body[:100]}")
        return {}
    if request.headers.get("content-type") != "application/json":
        raise Wrong(f"{operation.name} comes as {request.headers.get('content-type')}")
    try:
        body = json.loads(request.body, object_pairs_hook=once)
    except ValueError as error:
        raise Wrong(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Wrong(f"the body is no object: {request.body[:100]}")
    if misplaced := body.keys() - members:
        raise Wrong(f"the body of {operation.name} knows no {misplaced}")
    return body


def once(pairs):
    """An object whose keys are all different; other readers take one or the other of two."""
    keys = [key for key, _ in pairs]
    if len({*keys}) != len(keys):
        raise ValueError(f"a key is there twice in {keys}")
    return dict(pairs)


def scalar(shape, text):
    """A text as what the model says it is; as it came if it isn't that, which the validator then refuses."""
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
