"""Changes to ministack's S3: behaviour and validation of AWS that it lacks.

One function per change, plus functions with which the other modules read and write objects. The main change is the
CRC64NVME checksum: S3 stores one of the whole object for every upload that requests no other, single or multipart.
"""

from __future__ import annotations

import json
from xml.etree import ElementTree

from awscrt import checksums
from ministack.services import s3

import iam

MIN_PART_SIZE = 5 << 20
FULL, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
DEFAULT_ALGORITHM = "CRC64NVME"
_OWNER = "x-amz-expected-bucket-owner"


class S3Error(Exception):
    """S3 returned an error to an internal call."""


def install() -> None:
    """Replaces ministack's functions."""
    s3._crc64nvme = checksums.crc64nvme  # ministack's, in pure Python, takes most of a second for a part
    s3._new_bucket_public_access_block = lambda: {"_public_access_block": s3._NEW_BUCKET_PUBLIC_ACCESS_BLOCK}
    s3._dispatch = _dispatch(s3._dispatch)
    s3._put_object = _put_object(s3._put_object)
    s3._copy_object = _copy_object(s3._copy_object)
    s3._put_bucket_policy = _put_bucket_policy(s3._put_bucket_policy)
    s3._lifecycle_rules_error = _lifecycle_rules_error(s3._lifecycle_rules_error)
    s3._create_multipart_upload = _create_multipart_upload(s3._create_multipart_upload)
    s3._upload_part = _upload_part(s3._upload_part)
    s3._complete_multipart_upload = _complete_multipart_upload(s3._complete_multipart_upload)
    s3._list_parts = _list_parts(s3._list_parts)
    s3._list_multipart_uploads = _list_multipart_uploads(s3._list_multipart_uploads)
    s3._get_object_attributes = _get_object_attributes(s3._get_object_attributes)


def bucket_and_key(location: str) -> tuple[str, str]:
    """Splits an s3:// URL into bucket and key."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def sizes(bucket: str, prefix: str) -> dict[str, int]:
    """Returns the sizes in bytes of the objects whose keys have the prefix, by key."""
    if bucket not in s3._buckets:
        raise S3Error("The specified bucket does not exist")
    objects = s3._buckets[bucket]["objects"]
    return {key: objects[key]["size"] for key in sorted(objects) if key.startswith(prefix)}


def read(bucket: str, key: str) -> bytes:
    """Returns an object's bytes."""
    return s3._get_object_data(bucket, key)


def write(bucket: str, key: str, body: bytes, content_type: str) -> None:
    """Puts an object."""
    status, _, answer = s3._put_object(bucket, key, body, {"content-type": content_type})
    if status >= 300:
        raise S3Error(ElementTree.fromstring(answer).findtext("Message"))


def _dispatch(function):
    def dispatch(method: str, bucket: str, key: str, headers: dict, body: bytes, query: dict) -> tuple:
        expected = headers.get(_OWNER)
        if expected and s3._bucket_owner_account(bucket) not in (None, expected):
            return s3._error("AccessDenied", "Access Denied", 403)
        status, answer_headers, answer = function(method, bucket, key, headers, body, query)
        # Without s3:ListBucket, S3 answers 403 instead of 404 for a missing object.
        missing = status == 404 and key and method in ("GET", "HEAD") and bucket in s3._buckets
        if missing and iam.denial_reason("s3:ListBucket", f"arn:aws:s3:::{bucket}"):
            return s3._error("AccessDenied", "Access Denied", 403)
        return status, answer_headers, answer

    return dispatch


def _put_object(function):
    def put_object(bucket: str, key: str, body: bytes, headers: dict) -> tuple:
        if not any(name.startswith(("x-amz-checksum-", "x-amz-sdk-checksum-")) for name in headers):
            headers = {**headers, "x-amz-sdk-checksum-algorithm": DEFAULT_ALGORITHM}
        status, answer_headers, answer = function(bucket, key, body, headers)
        if status == 200:
            stored = s3._buckets[bucket]["objects"][key]["checksums"]
            answer_headers |= {f"x-amz-checksum-{name.lower()}": value for name, value in stored.items()}
            answer_headers |= {"x-amz-checksum-type": FULL}
        return status, answer_headers, answer

    return put_object


def _copy_object(function):
    def copy_object(bucket: str, key: str, headers: dict) -> tuple:
        status, answer_headers, answer = function(bucket, key, headers)
        if status == 200:
            object_checksum = s3._compute_s3_checksum(DEFAULT_ALGORITHM, read(bucket, key))
            s3._buckets[bucket]["objects"][key] |= {"checksums": {DEFAULT_ALGORITHM: object_checksum}, "checksum_type": FULL}
            elements = _element(f"Checksum{DEFAULT_ALGORITHM}", object_checksum) + _element("ChecksumType", FULL)
            answer = _append_elements(answer, elements)
        return status, answer_headers, answer

    return copy_object


def _put_bucket_policy(function):
    def put_bucket_policy(bucket: str, body: bytes) -> tuple:
        try:
            statements = json.loads(body)["Statement"]
            resources = [one["Resource"] for one in ([statements] if isinstance(statements, dict) else statements)]
        except (ValueError, KeyError, TypeError):
            return s3._error("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", 400)
        arn = f"arn:aws:s3:::{bucket}"
        for resource in [arn for one in resources for arn in ([one] if isinstance(one, str) else one)]:
            if resource != arn and not resource.startswith(f"{arn}/"):
                return s3._error("MalformedPolicy", "Policy has invalid resource", 400)
        return function(bucket, body)

    return put_bucket_policy


def _lifecycle_rules_error(function):
    actions = {"Expiration", "Transitions", "NoncurrentVersionTransitions", "NoncurrentVersionExpiration"}
    actions |= {"AbortIncompleteMultipartUpload"}

    def lifecycle_rules_error(rules: list[dict]) -> tuple | None:
        if not rules:
            return s3._error("MalformedXML", s3._MALFORMED_XML, 400)
        if not all(actions & rule.keys() for rule in rules):
            return s3._error("InvalidRequest", "At least one action needs to be specified in a rule", 400)
        return function(rules)

    return lifecycle_rules_error


def _create_multipart_upload(function):
    def create_multipart_upload(bucket: str, key: str, headers: dict) -> tuple:
        status, answer_headers, answer = function(bucket, key, headers)
        if status != 200:
            return status, answer_headers, answer
        upload = s3._multipart_uploads[_child_text(answer, "UploadId")]
        upload["checksum_requested"] = upload["checksum_algorithm"] is not None
        upload["checksum_algorithm"] = upload["checksum_algorithm"] or DEFAULT_ALGORITHM
        requested = headers.get("x-amz-checksum-type")
        upload["checksum_type"] = FULL if upload["checksum_algorithm"] == DEFAULT_ALGORITHM else requested or COMPOSITE
        if upload["checksum_requested"]:
            answer_headers["x-amz-checksum-type"] = upload["checksum_type"]
        return status, answer_headers, answer

    return create_multipart_upload


def _upload_part(function):
    def upload_part(bucket: str, key: str, body: bytes, query: dict, headers: dict) -> tuple:
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId")) or {}
        requested = upload.get("checksum_algorithm")
        sent = [name for name in s3._S3_CHECKSUM_HEADERS if f"x-amz-checksum-{name}" in headers]
        if upload.get("checksum_requested") and any(name.upper() != requested for name in sent):
            text = f"Checksum Type mismatch occurred, expected checksum Type: {requested.lower()}"
            return s3._error("InvalidRequest", f"{text}, actual checksum Type: {sent[0]}", 400)
        return function(bucket, key, body, query, headers)

    return upload_part


def _complete_multipart_upload(function):
    def complete_multipart_upload(bucket: str, key: str, body: bytes, query: dict, headers: dict) -> tuple:
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
        if upload is None:
            return function(bucket, key, body, query, headers)
        numbers = [int(_child_text(part, "PartNumber")) for part in _find_all(body, "Part")]
        if numbers != sorted(set(numbers)):
            return s3._error("InvalidPartOrder", "The list of parts was not in ascending order.", 400)
        parts = [upload["parts"][number] for number in numbers if number in upload["parts"]]
        if any(part["size"] < MIN_PART_SIZE for part in parts[:-1]):
            text = "Your proposed upload is smaller than the minimum allowed object size."
            return s3._error("EntityTooSmall", text, 400)
        if upload["checksum_type"] == COMPOSITE:
            return function(bucket, key, body, query, headers)
        # ministack supports composite checksums only: full-object ones are verified here and added to the response.
        algorithm = upload["checksum_algorithm"]
        object_checksum = s3._compute_s3_checksum(algorithm, b"".join(part["body"] for part in parts))
        name = f"x-amz-checksum-{algorithm.lower()}"
        if headers.get(name, object_checksum) != object_checksum:
            text = f"The {algorithm} you specified did not match the calculated checksum."
            return s3._error("BadDigest", text, 400, f"/{bucket}/{key}")
        upload["checksum_algorithm"] = None
        headers = {header: value for header, value in headers.items() if header != name}
        status, answer_headers, answer = function(bucket, key, body, query, headers)
        if status != 200:
            upload["checksum_algorithm"] = algorithm
            return status, answer_headers, answer
        s3._buckets[bucket]["objects"][key] |= {"checksums": {algorithm: object_checksum}, "checksum_type": FULL}
        answer = _append_elements(answer, _element(f"Checksum{algorithm}", object_checksum) + _element("ChecksumType", FULL))
        s3._completed_multipart_uploads[s3._qp(query, "uploadId")]["response"] = (status, answer_headers, answer)
        return status, answer_headers, answer

    return complete_multipart_upload


def _list_parts(function):
    def list_parts(bucket: str, key: str, query: dict) -> tuple:
        status, headers, answer = function(bucket, key, query)
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
        return status, headers, _append_elements(answer, _checksum_elements(upload)) if status == 200 else answer

    return list_parts


def _list_multipart_uploads(function):
    def list_multipart_uploads(bucket: str, query: dict) -> tuple:
        status, headers, answer = function(bucket, query)
        for upload_id, upload in s3._multipart_uploads.items():
            named = _element("UploadId", upload_id)
            answer = answer.replace(named, named + _checksum_elements(upload))
        return status, headers, answer

    return list_multipart_uploads


def _get_object_attributes(function):
    def get_object_attributes(bucket: str, key: str, headers: dict, query: dict) -> tuple:
        status, answer_headers, answer = function(bucket, key, headers, query)
        if status == 200 and s3._buckets[bucket]["objects"][key].get("checksum_type") == FULL:
            answer = answer.replace(_element("ChecksumType", COMPOSITE), _element("ChecksumType", FULL))
        return status, answer_headers, answer

    return get_object_attributes


def _checksum_elements(upload: dict) -> bytes:
    if not upload["checksum_requested"]:
        return b""
    algorithm = _element("ChecksumAlgorithm", upload["checksum_algorithm"])
    return algorithm + _element("ChecksumType", upload["checksum_type"])


def _element(name: str, text: str) -> bytes:
    return f"<{name}>{text}</{name}>".encode()


def _append_elements(document: bytes, elements: bytes) -> bytes:
    start, end, tag = document.rpartition(b"</")
    return start + elements + end + tag


def _find_all(document: bytes, name: str) -> list[ElementTree.Element]:
    try:
        return ElementTree.fromstring(document).findall(f"{{*}}{name}")
    except ElementTree.ParseError:
        return []  # rejected by ministack


def _child_text(element: bytes | ElementTree.Element, name: str) -> str:
    element = ElementTree.fromstring(element) if isinstance(element, bytes) else element
    return element.findtext(f"{{*}}{name}")
