"""What a recorded request means to AWS's public service models, which botocore carries, and what is wrong with it.

Nothing here is taken from the Rust SDK: a request is read from its bytes, by the bindings of the model, back into the
operation's parameters, and those are held against everything that the model says of them. botocore itself only checks
what is required, types and minima.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import botocore.session
from awscrt import checksums
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

ACCOUNT = "123456789012"
REGION = "eu-central-1"
# Long, so that it is nowhere by chance.
SECRET = "a-secret-that-no-request-may-carry"

SERVICES = ["s3", "athena", "glue", "quicksight", "sts"]
MODELS = {name: botocore.session.Session().get_service_model(name) for name in SERVICES}
SCOPE = r"Credential=(\d+)/(\d{8})/([\w-]+)/(\w+)/aws4_request"
AUTHORIZATION = re.compile(rf"AWS4-HMAC-SHA256 {SCOPE}, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{{64}})")
# What belongs to the signature or only says who asks. Any other header of AWS's must be a member of the operation.
NOT_MEMBERS = {"x-amz-date", "x-amz-content-sha256", "x-amz-user-agent"}
# They carry data, which a checksum and TLS protect.
DATA_OPERATIONS = {"PutObject", "UploadPart"}
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


@dataclass(frozen=True)
class Judgement:
    """The operation, as in `s3.PutObject`, its parameters as far as they could be read, and what is wrong."""

    operation: str
    parameters: dict
    problems: list


def judge(request):
    signed = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not signed or signed[4] not in MODELS:
        return Judgement("unknown", {}, [f"not signed for a service that is known: {request.headers}"])
    service = MODELS[signed[4]]
    name, parameters, problems = "unknown", {}, list(wrong_signature(request, signed))
    try:
        operation = OPERATION_OF[service.protocol](service, request)
        name = operation.name
        parameters = PARAMETERS_OF[service.protocol](operation, request)
    except Wrong as wrong:
        return Judgement(f"{service.service_name}.{name}", {}, [*problems, str(wrong)])
    if operation.input_shape:
        report = ParamValidator().validate(parameters, operation.input_shape)
        problems += report.generate_report().splitlines()
        # They can be looked for only in values of the right types.
        problems += [] if report.has_errors() else broken_constraints(parameters, operation.input_shape, "input")
    problems += wrong_checksums(operation, request)
    problems += wrong_owner(operation, parameters)
    if SECRET.encode() in repr((request.target, request.headers)).encode() + request.body:
        problems.append("it carries the secret access key")
    return Judgement(f"{service.service_name}.{name}", parameters, problems)


def wrong_signature(request, signed):
    key, date, region, service, names, signature = signed.groups()
    if (key, region) != (ACCOUNT, REGION):
        yield f"signed by {key} for {region}"
    if date != request.headers.get("x-amz-date", "")[:8]:
        yield "signed for another day than that of the request"
    names = names.split(";")
    unsigned = [name for name in request.headers if name not in names and (name == "host" or name.startswith("x-amz-"))]
    if unsigned:
        yield f"the signature leaves out {unsigned}"
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(ACCOUNT, SECRET), service, region)
    headers = {name: request.headers.get(name, "") for name in names}
    again = AWSRequest(request.method, f"http://{headers['host']}{request.target}", headers, request.body)
    again.context["timestamp"] = headers["x-amz-date"]
    expected = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    if signature != expected:
        yield "the signature is not that of the request"


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


def broken_constraints(value, shape, where):
    """What the model says beyond what botocore checks."""
    kind, constraints = shape.type_name, shape.metadata
    if kind == "structure":
        for name in value.keys() & shape.members.keys():
            yield from broken_constraints(value[name], shape.members[name], f"{where}.{name}")
    elif kind == "list":
        for index, item in enumerate(value):
            yield from broken_constraints(item, shape.member, f"{where}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from broken_constraints(key, shape.key, f"{where} key {key}")
            yield from broken_constraints(item, shape.value, f"{where}.{key}")
    # Times that are texts anywhere, as in XML, say so in the model. In JSON they are numbers.
    if kind == "timestamp" and isinstance(value, str) and "timestampFormat" not in shape.serialization:
        yield f"{where} is a time, but comes as a text: {value!r:.200}"
    size = value if isinstance(value, (int, float)) else len(value)
    if size > constraints.get("max", size):
        yield f"{where} is more than {constraints['max']}: {value!r:.200}"
    if value not in constraints.get("enum", [value]):
        yield f"{where} is none of {constraints['enum']}: {value!r:.200}"
    # Python has no surrogates in its texts, and writes these characters as such.
    pattern = constraints.get("pattern", "(?s:.*)").replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    if kind == "string" and not re.fullmatch(pattern, value):
        yield f"{where} doesn't match {pattern}: {value!r:.200}"


def wrong_owner(operation, parameters):
    is_known = operation.input_shape and "ExpectedBucketOwner" in operation.input_shape.members
    if is_known and parameters.get("ExpectedBucketOwner") != ACCOUNT:
        yield f"the bucket's owner is expected to be {parameters.get('ExpectedBucketOwner')}"
    if parameters.get("AwsAccountId", ACCOUNT) != ACCOUNT:
        yield f"the account is {parameters['AwsAccountId']}"


def wrong_checksums(operation, request):
    content_hash = request.headers.get("x-amz-content-sha256")
    if operation.service_model.service_name == "s3" and content_hash != hashlib.sha256(request.body).hexdigest():
        if content_hash != "UNSIGNED-PAYLOAD" or operation.name not in DATA_OPERATIONS:
            yield f"x-amz-content-sha256 is {content_hash}"
    trait = operation.http_checksum
    sent = {name: value for name, value in request.headers.items() if name in CHECKSUMS}
    if operation.name in DATA_OPERATIONS | {"CompleteMultipartUpload"} and CRC64NVME not in sent:
        yield f"no {CRC64NVME}"
    if (trait.get("requestChecksumRequired") or operation.http_checksum_required) and not sent:
        yield "no checksum, though one is required"
    algorithm = request.headers.get("x-amz-sdk-checksum-algorithm")
    if algorithm and f"x-amz-checksum-{algorithm.lower()}" not in sent:
        yield f"a checksum by {algorithm} is promised, but there is {list(sent)}"
    # Where the trait is missing, as on CompleteMultipartUpload, a checksum is that of an object, not of the body.
    for name, value in sent.items() if trait else []:
        expected = base64.b64encode(CHECKSUMS[name](request.body)).decode()
        if value != expected:
            yield f"{name} is {value}, that of the body {expected}"


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
