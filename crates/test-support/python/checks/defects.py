"""Scores the defects found in a dirty data set against those injected: recall and precision of every kind must be 1.

Usage: defects.py BIN_DIR

`generate --dirty` lists its defects in `_truth.jsonl`. Malformed lines are those that `transform` quarantines. Copies are
found by grouping the accepted lines by `ticket_id`: a line after the first of its ticket is a duplicate if all fields are
equal, and a late copy if it shows an earlier state. `transform --dedupe latest` must keep the same tickets as this grouping.
Defects do not depend on sharding, so two shards together must contain the same lines and defects as the whole.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow.dataset

from contract import MARKETS, check, check_same_tickets, manifest, raw_files, with_times

REJECTED = ["cut_line", "wrong_type", "unknown_text", "impossible_time", "bad_utf8"]
COPIES = ["duplicate", "late_copy"]
# Defects for which a reader can only report the whole line, whatever field was damaged.
WHOLE_LINE = ["cut_line", "bad_utf8"]
# Fields that never change. The others may change during the lifecycle of a ticket.
IDENTITY = [
    "ticket_id", "created_at", "market", "channel", "dealer_id", "customer_id", "vin_last6", "model_series", "model_year",
]
WORLDS = [
    {"count": 20_000, "days-back": 90, "seed": 42, "as-of": "2026-11-22"},
    # Nearly all tickets are unresolved, and few have an earlier state.
    {"count": 8_000, "days-back": 1, "seed": 7, "as-of": "2024-03-01T13:37:11Z"},
]


def run(bin_dir, tool, *arguments, expected_exit):
    done = subprocess.run([Path(bin_dir) / tool, "--quiet", *arguments], capture_output=True)
    messages = done.stderr.decode("utf-8", "replace")[:1000]
    check(done.returncode == expected_exit, f"{tool}: exit code {done.returncode}, expected {expected_exit}: {messages}")


def read_json_lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def read_lines(raw):
    """Returns every line of a data set by (file name, line number)."""
    lines = {}
    for file in raw_files(raw):
        content = file.read_bytes()
        check(content.endswith(b"\n"), f"{file} does not end with a newline")
        for number, line in enumerate(content[:-1].split(b"\n"), start=1):
            lines[file.name, number] = line
    return lines


def rejected_lines(bin_dir, raw, curated):
    """Returns, by location, the field for which `transform` rejects a line."""
    run(bin_dir, "transform", "--input", raw, "--output", curated, expected_exit=3)
    reasons = read_json_lines(curated / "_quarantine" / "_reasons.jsonl")
    return {(Path(reason["file"]).name, reason["line"]): reason["field"] for reason in reasons}


def copies(tickets):
    """Returns the kind of each copy by location, and the latest state of each ticket by ticket_id."""
    found, latest, first = {}, {}, {}
    for location, ticket in tickets.items():
        ticket_id = ticket["ticket_id"]
        first_state = first.setdefault(ticket_id, ticket)
        if first_state is ticket:
            latest[ticket_id] = ticket
        elif ticket == first_state:
            found[location] = "duplicate"
        else:
            changed = [field for field in IDENTITY if ticket[field] != first_state[field]]
            check(not changed, f"{location}: {changed} of {ticket_id} differ from the first line")
            check(ticket["updated_at"] < first_state["updated_at"], f"{location}: {ticket_id} does not show an earlier state")
            found[location] = "late_copy"
    return found, latest


def score(injected, found, kind):
    """Checks that recall and precision of one kind are 1, given the locations injected and found."""
    check(injected, f"no {kind} was injected")
    true_positives = len(injected & found)
    recall, precision = true_positives / len(injected), true_positives / max(1, len(found))
    differences = sorted(injected ^ found)[:3]
    check(recall == precision == 1, f"{kind}: recall {recall}, precision {precision}; the first differences: {differences}")
    print(f"ok  {kind}: {len(injected)} injected and found, recall {recall:.1f}, precision {precision:.1f}")


def check_manifest(raw, defects, lines, remaining):
    found = manifest(raw)
    kinds = Counter(entry["kind"] for entry in defects)
    check(found["defects"] == kinds, f"the manifest's defects are {found['defects']}, those in _truth.jsonl {kinds}")
    check(found["rows"] == len(lines), f"the manifest's rows are {found['rows']}, but there are {len(lines)} lines")
    markets = Counter(ticket["market"] for ticket in remaining.values())
    check(found["markets"] == markets, f"the manifest's markets are {found['markets']}, those that remain {markets}")
    total = [row[-1] for row in found["expected_answers"]["market_by_severity"]["rows"]]
    check(sum(total) == len(remaining), f"the expected answers are over {sum(total)} tickets, {len(remaining)} remain")
    names = [entry["name"] for entry in found["files"]]
    check(names == [file.name for file in raw_files(raw)], f"the manifest's files are {names}")
    same_size = found["truth"]["bytes"] == (raw / "_truth.jsonl").stat().st_size
    check(same_size, "the size of _truth.jsonl differs from the manifest")


def check_latest(bin_dir, raw, curated, remaining, n_rejected, n_copies):
    """Checks that `--dedupe latest` keeps the same tickets as grouping, and that `query --verify` passes on them."""
    run(bin_dir, "transform", "--dedupe=latest", "--input", raw, "--output", curated, expected_exit=3)
    rows = pyarrow.dataset.dataset(curated / "tickets", partitioning="hive").to_table().to_pylist()
    check_same_tickets({row["ticket_id"]: row for row in rows}, remaining, "--dedupe latest")
    check(len(rows) == len(remaining), f"{len(rows) - len(remaining)} tickets are duplicated")
    found, raw_manifest = manifest(curated), manifest(raw)
    expected = {"written": len(rows), "quarantined": n_rejected, "duplicates": n_copies}
    expected["read"] = sum(expected.values())
    check(found["rows"] == expected, f"the manifest's rows are {found['rows']}, expected {expected}")
    check(found["expected_answers"] == raw_manifest["expected_answers"], "the expected answers were not carried over")
    run(bin_dir, "query", "--data", curated, "--verify", expected_exit=0)


def check_world(bin_dir, world, scratch):
    raw = scratch / "raw"
    arguments = [f"--{name}={value}" for name, value in world.items()]
    run(bin_dir, "generate", *arguments, "--dirty=5%", f"--output={raw}", expected_exit=0)
    defects, lines = read_json_lines(raw / "_truth.jsonl"), read_lines(raw)
    injected = {(entry["file"], entry["line"]): entry for entry in defects}
    check(len(injected) == len(defects), "two defects were injected into one line")

    rejected = rejected_lines(bin_dir, raw, scratch / "curated")
    for kind in REJECTED:
        of_kind = {location for location, entry in injected.items() if entry["kind"] == kind}
        # A line rejected without an injected defect counts as a false positive of every kind.
        found = {location for location in rejected if location not in injected or injected[location]["kind"] == kind}
        score(of_kind, found, kind)
        for location in of_kind:
            expected = None if kind in WHOLE_LINE else injected[location]["field"]
            check(rejected[location] == expected, f"{location}: rejected for {rejected[location]}, expected {expected}")

    tickets = {location: with_times(json.loads(line)) for location, line in lines.items() if location not in rejected}
    check({ticket["market"] for ticket in tickets.values()} == set(MARKETS), "a market has no tickets")
    found, remaining = copies(tickets)
    for kind in COPIES:
        of_kind = {location for location, entry in injected.items() if entry["kind"] == kind}
        score(of_kind, {location for location, found_kind in found.items() if found_kind == kind}, kind)
    for location in found:
        check(injected[location]["ticket_id"] == tickets[location]["ticket_id"], f"{location}: _truth.jsonl has another ticket_id")
    check_manifest(raw, defects, lines, remaining)
    has_no_answers = manifest(scratch / "curated")["expected_answers"] is None
    check(has_no_answers, "the expected answers were carried over although copies were kept")
    check_latest(bin_dir, raw, scratch / "latest", remaining, len(rejected), len(found))

    for option in ["--shard=1/2", "--shard=2/2"]:
        run(bin_dir, "generate", *arguments, "--dirty=5%", option, f"--output={scratch / option[-3]}", expected_exit=0)
    shards = [scratch / "1", scratch / "2"]
    shard_lines = [line for shard in shards for line in read_lines(shard).values()]
    check([*lines.values()] == shard_lines, "the lines of two shards differ from those of the whole")
    entries = [entry for shard in shards for entry in read_json_lines(shard / "_truth.jsonl")]
    found, expected = ([(entry["kind"], entry["ticket_id"], entry["field"]) for entry in them] for them in (entries, defects))
    check(found == expected, "the defects of two shards differ from those of the whole")
    print(f"ok  {len(remaining)} tickets in {len(lines)} lines, the same in two shards: {world}")


def main(bin_dir):
    for world in WORLDS:
        with tempfile.TemporaryDirectory(prefix="defects-") as scratch:
            check_world(bin_dir, world, Path(scratch).resolve())


if __name__ == "__main__":
    main(*sys.argv[1:])
