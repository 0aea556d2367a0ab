"""Proves that what Athena is asked to curate is what `transform` does: the lines of decoder_conformance.py, taken and refused one by one.

Usage: athena_curation.py BIN_DIR

Each line is a raw file of its own, so that the manifest that `deploy --curate athena` publishes tells of every single one
whether it was taken. What was taken must come out of Parquet as it was meant. Athena's place is taken by the emulator of
the tests; where `infra/curate_athena.sql` says that it differs from `transform`, it must.
"""

import json
import subprocess
import sys
import tempfile
from datetime import timezone
from pathlib import Path

import pyarrow.dataset

from aws_requests import CURATED_BUCKET, Life, emulator
from contract import FIELDS, TIMES, check, check_same_tickets, manifest
from decoder_conformance import broken_lines, good_lines

# As infra/curate_athena.sql says at its top.
REFUSED_ALL_THE_SAME = {"further fields"}
TAKEN_ALL_THE_SAME = ["xff' in a further field", "a billionth after"]
# The emulator's engine takes these. Trino's parser is strict; and a carriage return makes two lines of one.
NOT_TRIED = {"a comma too many", "NaN in a further field"}


def corpus():
    """(what is special, the line, the ticket that it means or None), for every line that can be tried."""
    lines = [*good_lines(), *((what, line, None) for what, line, _ in broken_lines())]
    return [it for it in lines if it[0] not in NOT_TRIED and b"\r" not in it[1] and b"\n" not in it[1]]


def write_raw(bin_dir, raw, lines):
    """A raw data set with a file for each line; its manifest is generate's, but for the files."""
    subprocess.run([bin_dir / "generate", "--quiet", "--count", "1", "--as-of", "2026-11-22", "--output", raw], check=True)
    promised = manifest(raw)
    for path in raw.iterdir():
        path.unlink()
    for number, (_, line, _) in enumerate(lines):
        (raw / f"{number:04}.jsonl").write_bytes(line + b"\n")
    # transform tells the checksums.
    read = raw.parent / "read"
    subprocess.run([bin_dir / "transform", "--quiet", "--input", raw, "--output", read], check=False, capture_output=True)
    files = [{name: it[name] for name in ["name", "bytes", "crc64nvme"]} | {"rows": 1} for it in manifest(read)["inputs"]]
    promised |= {"files": files, "rows": len(lines), "markets": {}, "expected_answers": {}}
    (raw / "_manifest.json").write_text(json.dumps(promised), encoding="utf-8")


def download(s3, directory):
    """The curated bucket's objects, as files."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=CURATED_BUCKET):
        for key in [it["Key"] for it in page["Contents"]]:
            path = directory / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=CURATED_BUCKET, Key=key)["Body"].read())


def in_utc(row):
    """What Athena writes has no zone."""
    times = {field: row[field] and row[field].replace(tzinfo=timezone.utc) for field in TIMES}
    return {field: row[field] for field in FIELDS} | times


def main(bin_dir):
    bin_dir, lines = Path(bin_dir).resolve(), corpus()
    with tempfile.TemporaryDirectory(prefix="curate-") as scratch, emulator() as port:
        scratch = Path(scratch)
        write_raw(bin_dir, scratch / "raw", lines)
        life = Life(bin_dir, scratch, port, port)
        life.run("deploy", "--curate", "athena", "--quiet", "--raw", scratch / "raw", expected_exit=3)
        curated = scratch / "curated"
        download(life.client("s3"), curated)
        inputs = manifest(curated)["inputs"]
        rows = pyarrow.dataset.dataset(curated / "tickets", partitioning="hive").to_table().to_pylist()

    check(len(inputs) == len(lines), f"{len(inputs)} files were read, expected {len(lines)}")
    expected = {}
    for (what, line, meant), entry in zip(lines, inputs):
        differs = what in REFUSED_ALL_THE_SAME if meant else any(part in what for part in TAKEN_ALL_THE_SAME)
        is_taken = bool(meant) != differs
        check(entry["written"] == is_taken, f"{what}: taken is {bool(entry['written'])}, expected {is_taken}: {line[:300]}")
        if meant and is_taken:
            expected[meant["ticket_id"]] = meant
    found = {row["ticket_id"]: in_utc(row) for row in rows}
    check_same_tickets({key: row for key, row in found.items() if key in expected}, expected, "Parquet")
    print(f"ok  of {len(lines)} lines those are taken that should be, and {len(expected)} tickets are as they were meant")


if __name__ == "__main__":
    main(*sys.argv[1:])
