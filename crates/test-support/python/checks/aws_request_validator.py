"""Validates recorded requests against AWS's public service models, which botocore ships.

Parses each request with aws_request_parser.py and checks its parameters against every constraint of the model. botocore
itself checks only required members, types and minima. Signatures, checksums and the expected bucket owner are checked, too.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

import botocore.session
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

from aws_request_parser import CHECKSUMS, CRC64NVME, OPERATION_OF, PARAMETERS_OF, RequestError

ACCOUNT = "123456789012"
REGION = "eu-central-1"
# Long enough not to occur in a request by chance.
SECRET = "a-secret-that-no-request-may-carry"

SERVICES = ["s3", "athena", "glue", "quicksight", "sts"]
MODELS = {name: botocore.session.Session().get_service_model(name) for name in SERVICES}
SCOPE = r"Credential=(\d+)/(\d{8})/([\w-]+)/(\w+)/aws4_request"
AUTHORIZATION = re.compile(rf"AWS4-HMAC-SHA256 {SCOPE}, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{{64}})")
# Their bodies are object data, protected by a checksum and TLS, so the payload may be left out of the signature.
DATA_OPERATIONS = {"PutObject", "UploadPart"}


@dataclass(frozen=True)
class Validation:
    """The operation (for example `s3.PutObject`), its parameters if they could be parsed, and the problems found."""

    operation: str
    parameters: dict
    problems: list


def validate(request):
    signed = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not signed or signed[4] not in MODELS:
        return Validation("unknown", {}, [f"not signed for a known service: {request.headers}"])
    service = MODELS[signed[4]]
    name, parameters, problems = "unknown", {}, list(signature_problems(request, signed))
    try:
        operation = OPERATION_OF[service.protocol](service, request)
        name = operation.name
        parameters = PARAMETERS_OF[service.protocol](operation, request)
    except RequestError as error:
        return Validation(f"{service.service_name}.{name}", {}, [*problems, str(error)])
    if operation.input_shape:
        report = ParamValidator().validate(parameters, operation.input_shape)
        problems += report.generate_report().splitlines()
        # Constraints can be checked only on values of the right types.
        problems += [] if report.has_errors() else violated_constraints(parameters, operation.input_shape, "input")
    problems += checksum_problems(operation, request)
    problems += owner_problems(operation, parameters)
    if SECRET.encode() in repr((request.target, request.headers)).encode() + request.body:
        problems.append("the request contains the secret access key")
    return Validation(f"{service.service_name}.{name}", parameters, problems)


def signature_problems(request, signed):
    key, date, region, service, names, signature = signed.groups()
    if (key, region) != (ACCOUNT, REGION):
        yield f"signed by {key} for {region}"
    if date != request.headers.get("x-amz-date", "")[:8]:
        yield "the credential scope has another date than x-amz-date"
    names = names.split(";")
    unsigned = [name for name in request.headers if name not in names and (name == "host" or name.startswith("x-amz-"))]
    if unsigned:
        yield f"headers missing from the signature: {unsigned}"
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(ACCOUNT, SECRET), service, region)
    headers = {name: request.headers.get(name, "") for name in names}
    signed_request = AWSRequest(request.method, f"http://{headers['host']}{request.target}", headers, request.body)
    signed_request.context["timestamp"] = headers["x-amz-date"]
    expected = signer.signature(signer.string_to_sign(signed_request, signer.canonical_request(signed_request)), signed_request)
    if signature != expected:
        yield "the signature does not match the request"


def violated_constraints(value, shape, where):
    """Yields violations of the constraints that botocore does not check: maxima, enumerations, patterns, timestamps."""
    kind, constraints = shape.type_name, shape.metadata
    if kind == "structure":
        for name in value.keys() & shape.members.keys():
            yield from violated_constraints(value[name], shape.members[name], f"{where}.{name}")
    elif kind == "list":
        for index, item in enumerate(value):
            yield from violated_constraints(item, shape.member, f"{where}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from violated_constraints(key, shape.key, f"{where} key {key}")
            yield from violated_constraints(item, shape.value, f"{where}.{key}")
    # JSON timestamps are numbers unless the model gives a format; XML timestamps always have one.
    if kind == "timestamp" and isinstance(value, str) and "timestampFormat" not in shape.serialization:
        yield f"{where} is a timestamp, but was sent as a string: {value!r:.200}"
    size = value if isinstance(value, (int, float)) else len(value)
    if size > constraints.get("max", size):
        yield f"{where} exceeds the maximum of {constraints['max']}: {value!r:.200}"
    if value not in constraints.get("enum", [value]):
        yield f"{where} is none of {constraints['enum']}: {value!r:.200}"
    # The models' patterns use UTF-16 surrogates; Python strings contain code points.
    pattern = constraints.get("pattern", "(?s:.*)").replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    if kind == "string" and not re.fullmatch(pattern, value):
        yield f"{where} doesn't match {pattern}: {value!r:.200}"


def owner_problems(operation, parameters):
    is_known = operation.input_shape and "ExpectedBucketOwner" in operation.input_shape.members
    if is_known and parameters.get("ExpectedBucketOwner") != ACCOUNT:
        yield f"ExpectedBucketOwner is {parameters.get('ExpectedBucketOwner')}, expected {ACCOUNT}"
    if parameters.get("AwsAccountId", ACCOUNT) != ACCOUNT:
        yield f"AwsAccountId is {parameters['AwsAccountId']}, expected {ACCOUNT}"


def checksum_problems(operation, request):
    content_hash = request.headers.get("x-amz-content-sha256")
    if operation.service_model.service_name == "s3" and content_hash != hashlib.sha256(request.body).hexdigest():
        if content_hash != "UNSIGNED-PAYLOAD" or operation.name not in DATA_OPERATIONS:
            yield f"x-amz-content-sha256 is {content_hash}"
    trait = operation.http_checksum
    sent = {name: value for name, value in request.headers.items() if name in CHECKSUMS}
    if operation.name in DATA_OPERATIONS | {"CompleteMultipartUpload"} and CRC64NVME not in sent:
        yield f"the {CRC64NVME} header is missing"
    if (trait.get("requestChecksumRequired") or operation.http_checksum_required) and not sent:
        yield "a checksum is required, but none was sent"
    algorithm = request.headers.get("x-amz-sdk-checksum-algorithm")
    if algorithm and f"x-amz-checksum-{algorithm.lower()}" not in sent:
        yield f"x-amz-sdk-checksum-algorithm is {algorithm}, but the checksums sent are {list(sent)}"
    # Without the trait, as in CompleteMultipartUpload, a checksum header is of the whole object and not of the body.
    for name, value in sent.items() if trait else []:
        expected = base64.b64encode(CHECKSUMS[name](request.body)).decode()
        if value != expected:
            yield f"{name} is {value}, but the body's is {expected}"
