"""What a recorded request means to AWS's public service models, which botocore carries, and what is wrong with it.

The parameters that aws_request_parser.py reads from its bytes are held against everything that the model says of them.
botocore itself only checks what is required, types and minima.
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

from aws_request_parser import CHECKSUMS, CRC64NVME, OPERATION_OF, PARAMETERS_OF, Wrong

ACCOUNT = "123456789012"
REGION = "eu-central-1"
# Long, so that it is nowhere by chance.
SECRET = "a-secret-that-no-request-may-carry"

SERVICES = ["s3", "athena", "glue", "quicksight", "sts"]
MODELS = {name: botocore.session.Session().get_service_model(name) for name in SERVICES}
SCOPE = r"Credential=(\d+)/(\d{8})/([\w-]+)/(\w+)/aws4_request"
AUTHORIZATION = re.compile(rf"AWS4-HMAC-SHA256 {SCOPE}, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{{64}})")
# They carry data, which a checksum and TLS protect.
DATA_OPERATIONS = {"PutObject", "UploadPart"}


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
