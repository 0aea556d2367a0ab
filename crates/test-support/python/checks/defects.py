"""Scores what is found in a dirty data set against what was planted in it: recall and precision of every kind must be 1.

Usage: defects.py BIN_DIR

`generate --dirty` lists its defects in `_truth.jsonl`. Refused lines are what `transform` puts into quarantine. Copies are found
by grouping what it takes by `ticket_id`: a line after the first of its ticket is a duplicate if all fields are the same, and a
late copy if it shows an earlier state; `transform --dedupe latest` must leave what this grouping leaves. The defects don't
depend on shards, so two shards together are scored as the whole is.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow.dataset

from contract import MARKETS, check, check_same_tickets, manifest, raw_files, with_times

REFUSED = ["cut_line", "wrong_type", "unknown_text", "impossible_time", "bad_utf8"]
COPIES = ["duplicate", "late_copy"]
# What a strict reader can name only the line for, whatever field was hit.
WHOLE_LINE = ["cut_line", "bad_utf8"]
# What says which ticket it is. The other fields may change in its life.
IDENTITY = [
    "ticket_id", "created_at", "market", "channel", "dealer_id", "customer_id", "vin_last6", "model_series", "model_year",
]
WORLDS = [
    {"count": 20_000, "days-back": 90, "seed": 42, "as-of": "2026-11-22"},
    # Nearly all tickets are unresolved, and have hardly any earlier state.
    {"count": 8_000, "days-back": 1, "seed": 7, "as-of": "2024-03-01T13:37:11Z"},
]


def run(bin_dir, tool, *arguments, expected_exit):
    done = subprocess.run([Path(bin_dir) / tool, "--quiet", *arguments], capture_output=True)
    messages = done.stderr.decode("utf-8", "replace")[:1000]
    check(done.returncode == expected_exit, f"{tool}: exit code {done.returncode}, expected {expected_exit}: {messages}")


def read_json_lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def read_lines(raw):
    """Every line of a data set by file and number."""
    lines = {}
    for file in raw_files(raw):
        content = file.read_bytes()
        check(content.endswith(b"\n"), f"{file} has no newline at its end")
        for number, line in enumerate(content[:-1].split(b"\n"), start=1):
            lines[file.name, number] = line
    return lines


def refused_lines(bin_dir, raw, curated):
    """By place, the field for which `transform` refuses a line."""
    run(bin_dir, "transform", "--input", raw, "--output", curated, expected_exit=3)
    reasons = read_json_lines(curated / "_quarantine" / "_reasons.jsonl")
    return {(Path(reason["file"]).name, reason["line"]): reason["field"] for reason in reasons}


def copies(tickets):
    """The kind of copy by place, of tickets by place; and of each ticket the latest state."""
    found, latest, first = {}, {}, {}
    for place, ticket in tickets.items():
        ticket_id = ticket["ticket_id"]
        original = first.setdefault(ticket_id, ticket)
        if original is ticket:
            latest[ticket_id] = ticket
        elif ticket == original:
            found[place] = "duplicate"
        else:
            changed = [field for field in IDENTITY if ticket[field] != original[field]]
            check(not changed, f"{place}: {changed} of {ticket_id} are others than before")
            check(ticket["updated_at"] < original["updated_at"], f"{place}: {ticket_id} shows no earlier state")
            found[place] = "late_copy"
    return found, latest


def score(planted, found, kind):
    """Recall and precision of one kind; places of both."""
    check(planted, f"no {kind} was planted")
    hits = len(planted & found)
    recall, precision = hits / len(planted), hits / max(1, len(found))
    strays = sorted(planted ^ found)[:3]
    check(recall == precision == 1, f"{kind}: recall {recall}, precision {precision}; the first differences: {strays}")
    print(f"ok  {kind}: {len(planted)} planted and found, recall {recall:.1f}, precision {precision:.1f}")


def check_manifest(raw, truth, lines, remaining):
    says = manifest(raw)
    kinds = Counter(entry["kind"] for entry in truth)
    check(says["defects"] == kinds, f"the manifest's defects are {says['defects']}, in the truth {kinds}")
    check(says["rows"] == len(lines), f"the manifest's rows are {says['rows']}, but there are {len(lines)} lines")
    markets = Counter(ticket["market"] for ticket in remaining.values())
    check(says["markets"] == markets, f"the manifest's markets are {says['markets']}, those that remain {markets}")
    total = [row[-1] for row in says["expected_answers"]["market_by_severity"]["rows"]]
    check(sum(total) == len(remaining), f"the expected answers are over {sum(total)} tickets, {len(remaining)} remain")
    names = [entry["name"] for entry in says["files"]]
    check(names == [file.name for file in raw_files(raw)], f"the manifest's files are {names}")
    check(says["truth"]["bytes"] == (raw / "_truth.jsonl").stat().st_size, "the manifest has another size of the truth")


def check_latest(bin_dir, raw, curated, remaining, n_refused, n_copies):
    """`--dedupe latest` leaves what grouping leaves, and the answers that were counted over it hold."""
    run(bin_dir, "transform", "--dedupe=latest", "--input", raw, "--output", curated, expected_exit=3)
    rows = pyarrow.dataset.dataset(curated / "tickets", partitioning="hive").to_table().to_pylist()
    check_same_tickets({row["ticket_id"]: row for row in rows}, remaining, "--dedupe latest")
    check(len(rows) == len(remaining), f"{len(rows) - len(remaining)} tickets are there twice")
    says, promised = manifest(curated), manifest(raw)
    expected = {"written": len(rows), "quarantined": n_refused, "duplicates": n_copies}
    expected["read"] = sum(expected.values())
    check(says["rows"] == expected, f"the manifest's rows are {says['rows']}, expected {expected}")
    check(says["expected_answers"] == promised["expected_answers"], "the answers were not handed on")
    run(bin_dir, "query", "--data", curated, "--verify", expected_exit=0)


def check_world(bin_dir, world, scratch):
    raw = scratch / "raw"
    arguments = [f"--{name}={value}" for name, value in world.items()]
    run(bin_dir, "generate", *arguments, "--dirty=5%", f"--output={raw}", expected_exit=0)
    truth, lines = read_json_lines(raw / "_truth.jsonl"), read_lines(raw)
    planted = {(entry["file"], entry["line"]): entry for entry in truth}
    check(len(planted) == len(truth), "two defects are planted in one line")

    refused = refused_lines(bin_dir, raw, scratch / "curated")
    for kind in REFUSED:
        of_kind = {place for place, entry in planted.items() if entry["kind"] == kind}
        # What is refused without having been planted counts against every kind.
        found = {place for place in refused if place not in planted or planted[place]["kind"] == kind}
        score(of_kind, found, kind)
        for place in of_kind:
            expected = None if kind in WHOLE_LINE else planted[place]["field"]
            check(refused[place] == expected, f"{place}: refused for {refused[place]}, broken in {expected}")

    tickets = {place: with_times(json.loads(line)) for place, line in lines.items() if place not in refused}
    check({ticket["market"] for ticket in tickets.values()} == set(MARKETS), "a market has no tickets")
    found, remaining = copies(tickets)
    for kind in COPIES:
        of_kind = {place for place, entry in planted.items() if entry["kind"] == kind}
        score(of_kind, {place for place, found_kind in found.items() if found_kind == kind}, kind)
    for place in found:
        check(planted[place]["ticket_id"] == tickets[place]["ticket_id"], f"{place}: the truth names another ticket")
    check_manifest(raw, truth, lines, remaining)
    check(manifest(scratch / "curated")["expected_answers"] is None, "the answers were handed on although copies stay")
    check_latest(bin_dir, raw, scratch / "latest", remaining, len(refused), len(found))

    for option in ["--shard=1/2", "--shard=2/2"]:
        run(bin_dir, "generate", *arguments, "--dirty=5%", option, f"--output={scratch / option[-3]}", expected_exit=0)
    halves = [scratch / "1", scratch / "2"]
    check([*lines.values()] == [line for half in halves for line in read_lines(half).values()], "two shards have other lines")
    entries = [entry for half in halves for entry in read_json_lines(half / "_truth.jsonl")]
    without_place = [(entry["kind"], entry["ticket_id"], entry["field"]) for entry in truth]
    check([(e["kind"], e["ticket_id"], e["field"]) for e in entries] == without_place, "two shards have another truth")
    print(f"ok  {len(remaining)} tickets remain of {len(lines)} lines, and two shards are the same: {world}")


def main(bin_dir):
    for world in WORLDS:
        with tempfile.TemporaryDirectory(prefix="defects-") as scratch:
            check_world(bin_dir, world, Path(scratch).resolve())


if __name__ == "__main__":
    main(*sys.argv[1:])
