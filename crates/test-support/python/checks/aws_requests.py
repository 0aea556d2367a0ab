"""Checks that every request of `deploy` and `query --engine athena` is valid for AWS and allowed by the IAM policy.

Usage: aws_requests.py BIN_DIR DATA_DIR (DATA_DIR holds raw/ and curated/ as `pipeline` makes them)

The tools run through the whole lifecycle of a lake and its dashboard against the emulator of the tests; a proxy in between
records every request. Each request is then validated against AWS's public service models (see aws_request_validator.py):
operation, members, types and values, signature, checksum and expected bucket owner. The operations used must be exactly
those that infra/iam/deploy-policy.json allows.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore.session

from aws_request_parser import Request
from aws_request_validator import ACCOUNT, REGION, SECRET, validate
from contract import check, manifest

REPO = Path(__file__).resolve().parents[4]
EMULATOR = REPO / "crates/test-support/python/emulator/serve.py"
# Installed by the tests of `deploy`; its package versions differ from those of the checks.
EMULATOR_PYTHON = REPO / "target/emulator/bin/python"
POLICY = REPO / "infra/iam/deploy-policy.json"
RAW_BUCKET = f"bmw-aftersales-raw-{ACCOUNT}"
CURATED_BUCKET = f"bmw-aftersales-curated-{ACCOUNT}"
PART_BYTES = 16 << 20

# The operations that an IAM action allows, where that is not the one operation of the same name.
OPERATIONS = {
    "s3:DeleteObject": ["s3.DeleteObjects"],
    "s3:GetBucketPublicAccessBlock": ["s3.GetPublicAccessBlock"],
    "s3:GetEncryptionConfiguration": ["s3.GetBucketEncryption"],
    "s3:GetLifecycleConfiguration": ["s3.GetBucketLifecycleConfiguration"],
    "s3:GetObject": ["s3.GetObject", "s3.HeadObject"],
    "s3:ListBucket": ["s3.HeadBucket", "s3.ListObjectsV2"],
    "s3:ListBucketMultipartUploads": ["s3.ListMultipartUploads"],
    "s3:ListMultipartUploadParts": ["s3.ListParts"],
    "s3:PutBucketPublicAccessBlock": ["s3.PutPublicAccessBlock"],
    "s3:PutEncryptionConfiguration": ["s3.PutBucketEncryption"],
    "s3:PutLifecycleConfiguration": ["s3.PutBucketLifecycleConfiguration"],
    "s3:PutObject": [
        "s3.PutObject", "s3.CopyObject", "s3.CreateMultipartUpload", "s3.UploadPart", "s3.CompleteMultipartUpload",
    ],
}
# Actions that Athena performs with its caller's permissions; the tools never call them.
DONE_BY_ATHENA = {
    "glue:BatchGetPartition": "planning a query over partitions",
    "glue:CreateDatabase": "CREATE DATABASE",
    "glue:CreateTable": "CREATE TABLE and CREATE VIEW",
    "glue:GetPartition": "planning a query over partitions",
    "s3:GetBucketLocation": "checking the query result location",
}
# Actions that operations of other names require in addition.
ADDITIONAL_ACTIONS = {
    "quicksight:PassDataSet": ["quicksight.CreateDashboard", "quicksight.UpdateDashboard"],
    "quicksight:PassDataSource": ["quicksight.CreateDataSet", "quicksight.UpdateDataSet"],
    "quicksight:TagResource": ["quicksight.CreateDashboard", "quicksight.CreateDataSet", "quicksight.CreateDataSource"],
}
# Allowed to every caller, whatever the policies say.
ALWAYS_ALLOWED = {"sts.GetCallerIdentity"}


class RecordingHandler(BaseHTTPRequestHandler):
    """Forwards each request unchanged, Host header included so that signatures stay valid, and records it."""

    protocol_version = "HTTP/1.1"

    def do_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(Request(self.command, self.path, headers, body))
        upstream = HTTPConnection("127.0.0.1", self.server.upstream_port)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        # A response to HEAD gives the length of the body that it leaves out.
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = do_any

    def log_message(self, *_):
        pass


@contextmanager
def emulator():
    """Starts the emulator and yields its port."""
    check(EMULATOR_PYTHON.exists(), f"{EMULATOR_PYTHON} not found; run `cargo test --package deploy`, which installs it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [EMULATOR_PYTHON, EMULATOR, "--port", str(port)]
    # The emulator exits when its standard input is closed.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            check(process.stdout.readline() == "ready\n", "the emulator did not start; see its messages above")
            yield port
        finally:
            process.stdin.close()


class RecordingProxy(ThreadingHTTPServer):
    """A proxy that keeps all requests in the order received."""

    # The tools open many connections at once.
    request_queue_size = 128

    def __init__(self, upstream_port):
        super().__init__(("127.0.0.1", 0), RecordingHandler)
        self.requests, self.upstream_port = [], upstream_port


@contextmanager
def recording_proxy(upstream_port):
    with RecordingProxy(upstream_port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class Deployment:
    """Runs the tools through the proxy, and makes changes outside them directly on the emulator."""

    def __init__(self, bin_dir, scratch, proxy_port, emulator_port):
        self.bin_dir, self.scratch, self.emulator_port = Path(bin_dir).resolve(), scratch, emulator_port
        self.environment = {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_ACCOUNT_ID": ACCOUNT,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy_port}",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "HOME": str(scratch),
        }

    def run(self, tool, *arguments, expected_exit=0):
        command = [self.bin_dir / tool, *map(str, arguments)]
        done = subprocess.run(command, cwd=self.scratch, env=self.environment, capture_output=True, text=True)
        outcome = f"{tool} {' '.join(map(str, arguments))} ended with {done.returncode}"
        check(done.returncode == expected_exit, f"{outcome}:\n{done.stdout}{done.stderr}")
        check(SECRET not in done.stdout + done.stderr, f"{outcome} and printed the secret access key")

    def deploy(self, data, *arguments):
        self.run("deploy", *arguments, "--raw", data / "raw", "--curated", data / "curated")

    def client(self, service):
        endpoint = f"http://127.0.0.1:{self.emulator_port}"
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": SECRET}
        return botocore.session.Session().create_client(service, REGION, endpoint_url=endpoint, **keys)

    def run_lifecycle(self, data):
        for command in [["plan"], [], [], ["status"], ["verify"]]:
            self.deploy(data, *command)
        # More rows than one page of results.
        many = ["--sql", "SELECT ticket_id FROM tickets", "--data", data / "curated"]
        self.run("query", "--engine", "athena", *many)

        quicksight = ["--quicksight", "--quicksight-user", "ada"]
        # The second run changes nothing and only refreshes SPICE.
        self.deploy(data, *quicksight)
        self.deploy(data, *quicksight)
        self.change_dashboard()
        self.deploy(data, *quicksight)

        fewer_markets = self.scratch / "fewer"
        self.run("pipeline", "--quiet", "--count", 5, "--seed", 7, "--as-of", "2026-11-22", "--data", fewer_markets)
        self.deploy(fewer_markets)

        self.change_lake()
        self.deploy(fewer_markets)

        large = self.scratch / "large"
        raw = large / "raw"
        # Two multipart uploads, one of which an interrupted run has started.
        in_two = ["--count", 90_000, "--batch-size", 45_000, "--as-of", "2026-11-22"]
        self.run("generate", *in_two, "--output", raw)
        self.run("transform", "--input", raw, "--output", large / "curated")
        partly_uploaded = manifest(raw)["files"][0]["name"]
        self.start_upload(f"tickets/{partly_uploaded}", (raw / partly_uploaded).read_bytes()[:PART_BYTES])
        self.deploy(large)

        # Athena curates the tickets; an interrupted run has left its pending manifest.
        only_raw = self.scratch / "only_raw"
        self.run("generate", "--count", 50, "--as-of", "2026-11-22", "--output", only_raw / "raw")
        announcement = json.dumps({"note": "", "keys": ["curating/"]})
        self.client("s3").put_object(Bucket=CURATED_BUCKET, Key="_manifest.pending.json", Body=announcement)
        self.deploy(only_raw, "--curate", "athena")

        self.start_upload("tickets/abandoned.jsonl", b"{}\n")
        self.run("deploy", "destroy", "--yes", "--quicksight")

    def change_lake(self):
        """Changes the lake outside `deploy`."""
        self.client("athena").update_work_group(WorkGroup="bmw-aftersales", Description="another")
        glue = self.client("glue")
        table = glue.get_table(DatabaseName="bmw_aftersales", Name="tickets")["Table"]
        known = ["Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters"]
        table = {name: table[name] for name in known} | {"Parameters": {"parquet.compression": "GZIP"}}
        glue.update_table(DatabaseName="bmw_aftersales", TableInput=table)

    def change_dashboard(self):
        """Changes the dashboard, its data set and its data source outside `deploy`."""
        quicksight = self.client("quicksight")
        account, dashboard = {"AwsAccountId": ACCOUNT}, {"AwsAccountId": ACCOUNT, "DashboardId": "bmw-aftersales"}
        definition = quicksight.describe_dashboard_definition(**dashboard)["Definition"]
        definition["Sheets"][0]["Name"] = "Another"
        version = quicksight.update_dashboard(**dashboard, Name="Another", Definition=definition)["VersionArn"]
        number = {"VersionNumber": int(version.rpartition("/")[2])}
        self.wait_until_done(lambda: quicksight.describe_dashboard(**dashboard, **number)["Dashboard"]["Version"])
        quicksight.update_dashboard_published_version(**dashboard, **number)

        data_set = account | {"DataSetId": "bmw-aftersales-tickets"}
        current = quicksight.describe_data_set(**data_set)["DataSet"]
        kept = {name: current[name] for name in ["PhysicalTableMap", "ImportMode"]}
        quicksight.update_data_set(**data_set, Name="Another", **kept)

        source = account | {"DataSourceId": "bmw-aftersales"}
        current = quicksight.describe_data_source(**source)["DataSource"]
        quicksight.update_data_source(**source, Name="Another", DataSourceParameters=current["DataSourceParameters"])
        self.wait_until_done(lambda: quicksight.describe_data_source(**source)["DataSource"])

        for kind, one in {"dashboard": dashboard, "data_set": data_set, "data_source": source}.items():
            permissions = getattr(quicksight, f"describe_{kind}_permissions")(**one)["Permissions"]
            getattr(quicksight, f"update_{kind}_permissions")(**one, RevokePermissions=permissions)

    @staticmethod
    def wait_until_done(describe):
        """Polls until a resource is ready. Each call advances the emulator's QuickSight by one step."""
        for _ in range(10):
            if not describe()["Status"].endswith("_IN_PROGRESS"):
                break
        check(describe()["Status"].endswith("_SUCCESSFUL"), f"the change on QuickSight failed: {describe()}")

    def start_upload(self, key, part):
        s3, upload = self.client("s3"), {"Bucket": RAW_BUCKET, "Key": key}
        full = {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}
        upload["UploadId"] = s3.create_multipart_upload(**upload, **full)["UploadId"]
        s3.upload_part(**upload, PartNumber=1, Body=part, ChecksumAlgorithm="CRC64NVME")


def policy_problems(seen):
    """Yields the differences between the operations used and those that the policy allows."""
    statements = json.loads(POLICY.read_text(encoding="utf-8"))["Statement"]
    actions = {action for statement in statements for action in as_list(statement["Action"])}
    own = actions - ADDITIONAL_ACTIONS.keys()
    allowed = {name: action for action in own for name in OPERATIONS.get(action, [action.replace(":", ".")])}
    for name, action in allowed.items():
        if name not in seen and action not in DONE_BY_ATHENA:
            yield f"{name} was never called, though the policy allows {action}"
        if name in seen and action in DONE_BY_ATHENA:
            yield f"{name} was called, though {action} is listed as Athena's alone"
    for name in seen - allowed.keys() - ALWAYS_ALLOWED:
        yield f"{name} was called, but the policy does not allow it"
    for action, operations in ADDITIONAL_ACTIONS.items():
        if not seen & {*operations}:
            yield f"none of {operations} was called, though the policy allows {action}"
    for action in (OPERATIONS.keys() | DONE_BY_ATHENA.keys() | ADDITIONAL_ACTIONS.keys()) - actions:
        yield f"{action} is listed in this script, but not in the policy"


def as_list(value):
    return value if isinstance(value, list) else [value]


def main(bin_dir, data_dir):
    # Keeps botocore from reading this machine's configuration.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with tempfile.TemporaryDirectory(prefix="aws-requests-") as scratch, emulator() as port, recording_proxy(port) as proxy:
        Deployment(bin_dir, Path(scratch), proxy.server_port, port).run_lifecycle(Path(data_dir).resolve())

    validations = [validate(request) for request in proxy.requests]
    n_seen = Counter(it.operation for it in validations)
    problems = Counter((it.operation, problem) for it in validations for problem in it.problems)
    problems += Counter((POLICY.name, problem) for problem in policy_problems(n_seen.keys()))
    for operation, n_requests in sorted(n_seen.items()):
        if all(operation != wrong for wrong, _ in problems):
            print(f"ok  {operation}  {n_requests} request{'s' * (n_requests > 1)}")
    for (operation, problem), n_times in sorted(problems.items()):
        print(f"FAILED  {operation}, {n_times} times: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
