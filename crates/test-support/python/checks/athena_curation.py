"""Checks that `deploy --curate athena` accepts and rejects the same lines as `transform`.

Usage: athena_curation.py BIN_DIR

Takes the lines of decoder_conformance.py and writes each to a raw file of its own, so that the manifest that
`deploy --curate athena` publishes shows for every line whether it was accepted. The tickets read back from Parquet must
equal those that were written. The emulator of the tests stands in for Athena. The differences that the head of
`infra/curate_athena.sql` documents are expected, too.
"""

import json
import subprocess
import sys
import tempfile
from datetime import timezone
from pathlib import Path

import pyarrow.dataset

from aws_requests import CURATED_BUCKET, Deployment, emulator
from contract import FIELDS, TIMES, check, check_same_tickets, manifest
from decoder_conformance import malformed_lines, valid_lines

# The documented differences: see the head of infra/curate_athena.sql.
REJECTED_BY_ATHENA_ONLY = {"unknown fields"}
ACCEPTED_BY_ATHENA_ONLY = ["xff' in a unknown field", "one nanosecond after"]
# DuckDB, which runs the emulator's queries, accepts these; Trino's stricter parser rejects them. Lines with a carriage
# return are skipped, too: Athena's line reader ends a line there.
SKIPPED = {"a trailing comma", "NaN in a unknown field"}


def corpus():
    """Returns (name, line, expected ticket or None if malformed) for every line that the emulator can judge."""
    lines = [*valid_lines(), *((name, line, None) for name, line, _ in malformed_lines())]
    return [entry for entry in lines if entry[0] not in SKIPPED and b"\r" not in entry[1] and b"\n" not in entry[1]]


def write_raw(bin_dir, raw, lines):
    """Writes a raw data set with one file for each line; its manifest is generate's except for the file list."""
    subprocess.run([bin_dir / "generate", "--quiet", "--count", "1", "--as-of", "2026-11-22", "--output", raw], check=True)
    raw_manifest = manifest(raw)
    for path in raw.iterdir():
        path.unlink()
    for number, (_, line, _) in enumerate(lines):
        (raw / f"{number:04}.jsonl").write_bytes(line + b"\n")
    # Takes the files' checksums from transform's manifest.
    read = raw.parent / "read"
    subprocess.run([bin_dir / "transform", "--quiet", "--input", raw, "--output", read], check=False, capture_output=True)
    files = [{name: entry[name] for name in ["name", "bytes", "crc64nvme"]} | {"rows": 1} for entry in manifest(read)["inputs"]]
    raw_manifest |= {"files": files, "rows": len(lines), "markets": {}, "expected_answers": {}}
    (raw / "_manifest.json").write_text(json.dumps(raw_manifest), encoding="utf-8")


def download(s3, directory):
    """Downloads the curated bucket's objects to a directory."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=CURATED_BUCKET):
        for key in [entry["Key"] for entry in page["Contents"]]:
            path = directory / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=CURATED_BUCKET, Key=key)["Body"].read())


def in_utc(row):
    """Adds the UTC zone, which timestamps written by Athena lack."""
    times = {field: row[field] and row[field].replace(tzinfo=timezone.utc) for field in TIMES}
    return {field: row[field] for field in FIELDS} | times


def main(bin_dir):
    bin_dir, lines = Path(bin_dir).resolve(), corpus()
    with tempfile.TemporaryDirectory(prefix="curate-") as scratch, emulator() as port:
        scratch = Path(scratch)
        write_raw(bin_dir, scratch / "raw", lines)
        deployment = Deployment(bin_dir, scratch, port, port)
        deployment.run("deploy", "--curate", "athena", "--quiet", "--raw", scratch / "raw", expected_exit=3)
        curated = scratch / "curated"
        download(deployment.client("s3"), curated)
        inputs = manifest(curated)["inputs"]
        rows = pyarrow.dataset.dataset(curated / "tickets", partitioning="hive").to_table().to_pylist()

    check(len(inputs) == len(lines), f"{len(inputs)} files were read, expected {len(lines)}")
    expected = {}
    for (name, line, ticket), entry in zip(lines, inputs):
        differs = name in REJECTED_BY_ATHENA_ONLY if ticket else any(part in name for part in ACCEPTED_BY_ATHENA_ONLY)
        is_accepted = bool(ticket) != differs
        message = f"{name}: accepted is {bool(entry['written'])}, expected {is_accepted}: {line[:300]}"
        check(entry["written"] == is_accepted, message)
        if ticket and is_accepted:
            expected[ticket["ticket_id"]] = ticket
    found = {row["ticket_id"]: in_utc(row) for row in rows}
    check_same_tickets({key: row for key, row in found.items() if key in expected}, expected, "Parquet")
    print(f"ok  all {len(lines)} lines are accepted or rejected as expected; {len(expected)} tickets read back unchanged")


if __name__ == "__main__":
    main(*sys.argv[1:])
